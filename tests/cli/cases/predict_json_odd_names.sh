# Quotes, backslashes, control characters and bytes that are no UTF-8 in a file name still give JSON.
small_model model.safetensors || exit 9
cornu show ./digits --count 1 --output plain.png --quiet
cp plain.png $'quo"te\\\t.png'
cp plain.png $'latin1\xfc.png'
cp plain.png 'umlautü.png'
cornu predict model.safetensors $'quo"te\\\t.png' $'latin1\xfc.png' 'umlautü.png' --json | grep -o '"file": "[^,]*"'

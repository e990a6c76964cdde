# It is said before a file is opened, by every command that has the option.
for command in "evaluate nowhere mnist" "predict nowhere nothing.png" "train nowhere"; do
    cornu $command --isa avx3 2>/dev/null
    [ $? -eq 2 ] || { echo "$command: exit status is not 2"; exit 9; }
done
cornu info --isa avx3

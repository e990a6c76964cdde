. "$SOURCE/completions/cornu.bash"
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cornu; echo "${COMPREPLY[*]}"; }
complete_line cornu tr
complete_line cornu help ev
complete_line cornu train --ep
complete_line cornu train mnist --optimizer rm
complete_line cornu train fash

# Completion of cornu for bash. Commands and options are asked of the tool itself, so they cannot go stale.

_cornu_options() { cornu help "$1" 2>/dev/null | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'; }

_cornu() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$command" = help ]; }; then
        COMPREPLY=($(compgen -W "$(cornu --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p')" -- "$word"))
        return
    fi
    case $before in
    --optimizer) COMPREPLY=($(compgen -W "rmsprop sgd adam adamw adagrad adadelta adamax nadam lion ftrl lamb adafactor muon schedule_free_adamw" -- "$word")); return ;;
    --loss) COMPREPLY=($(compgen -W "categorical_crossentropy sparse_categorical_crossentropy crossentropy mse mae huber categorical_focal_crossentropy kl_divergence" -- "$word")); return ;;
    --metrics) COMPREPLY=($(compgen -W "accuracy auc precision recall top_k_categorical_accuracy f1_score(average=macro)" -- "$word")); return ;;
    --precision) COMPREPLY=($(compgen -W "float32 mixed_bfloat16 float64" -- "$word")); return ;;
    --isa) COMPREPLY=($(compgen -W "c avx2 avx512 neon" -- "$word")); return ;;
    --monitor) COMPREPLY=($(compgen -W "loss accuracy val_loss val_accuracy" -- "$word")); return ;;
    --verbose) COMPREPLY=($(compgen -W "0 1 2" -- "$word")); return ;;
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W "$(_cornu_options "$command")" -- "$word")) ;;
    *)
        COMPREPLY=($(compgen -f -- "$word"))
        case $command in
        train | evaluate | show | data | info) COMPREPLY+=($(compgen -W "mnist fashion_mnist" -- "$word")) ;;
        esac
        ;;
    esac
}
complete -o filenames -F _cornu cornu

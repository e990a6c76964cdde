CORNU_ISA=c cornu info --json | grep -o "\"isa_chosen\": \"[a-z0-9]*\""

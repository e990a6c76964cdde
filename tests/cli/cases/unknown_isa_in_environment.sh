# Every command that does something refuses it; help and version go without kernels.
CORNU_ISA=avx3 cornu help >/dev/null && CORNU_ISA=avx3 cornu version >/dev/null || exit 9
CORNU_ISA=avx3 cornu data >/dev/null 2>&1
[ $? -eq 2 ] || exit 9
CORNU_ISA=avx3 cornu info

cornu info >/dev/full

cornu info >&-

cornu info --json

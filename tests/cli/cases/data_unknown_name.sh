cornu train mnits --no-download

cornu --help

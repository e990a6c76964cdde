cornu --version

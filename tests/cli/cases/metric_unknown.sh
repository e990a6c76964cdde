cornu train mnist --quiet --metrics accuracy,presicion

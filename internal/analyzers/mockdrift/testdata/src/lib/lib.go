package lib

type Far interface{ Go(n int) }

type Other interface{ On() }

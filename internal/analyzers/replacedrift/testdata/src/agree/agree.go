package agree

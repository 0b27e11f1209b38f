package a

//fractl:ignore timerleak the process ends with it
var a = 1

/* want "ignore comment names no rule" */ //fractl:ignore
var b = 2

/* want "ignore comment for timerleak gives no reason" */ //fractl:ignore timerleak
var c = 3 // fractl:ignored is another word

/* want "ignore comment for timerleak has a space after the slashes and suppresses nothing" */ // fractl:ignore timerleak why
var d = `//fractl:ignore`

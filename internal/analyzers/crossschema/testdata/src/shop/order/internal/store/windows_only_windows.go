package store

const onWindows = "SELECT * FROM sessions" // want "reads table sessions of fraction auth"

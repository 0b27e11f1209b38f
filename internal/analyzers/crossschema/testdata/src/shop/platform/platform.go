package platform

// Count is of no fraction.
const Count = "SELECT count(*) FROM sessions"

const Sessions = "sessions"

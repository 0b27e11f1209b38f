package inbox

import (
	"strings"

	"github.com/fractl/fractl/templates/pieces/store"
)

// statements are those of an inbox in the dialect of its database.
type statements struct {
	claim, state, extend, commit, abandon, prune string
}

func newStatements(engine store.Engine) statements {
	// The clock of the database is the same for all processes.
	now := `CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
	if engine == store.Postgres {
		now = `CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)`
	}
	in := func(query string) string { return strings.ReplaceAll(query, "{now}", now) }
	return statements{
		// A note is taken over where nobody has it, and by its owner. What is in
		// the outbox may still come, so that it is remembered past its retention.
		claim: in(`INSERT INTO bus_inbox (grp, id, owner, done, until) VALUES ($1, $2, $3, $4, {now} + $5)
			ON CONFLICT (grp, id) DO UPDATE SET owner = excluded.owner, done = excluded.done, until = excluded.until
			WHERE NOT bus_inbox.done AND (bus_inbox.owner = excluded.owner OR bus_inbox.until <= {now})
			OR bus_inbox.done AND bus_inbox.until <= {now} AND NOT EXISTS (SELECT 1 FROM bus_outbox WHERE bus_outbox.id = bus_inbox.id)`),
		state:   in(`SELECT done, until - {now} FROM bus_inbox WHERE grp = $1 AND id = $2`),
		extend:  in(`UPDATE bus_inbox SET until = {now} + $4 WHERE grp = $1 AND id = $2 AND owner = $3 AND NOT done`),
		commit:  in(`UPDATE bus_inbox SET done = TRUE, until = {now} + $4 WHERE grp = $1 AND id = $2 AND owner = $3`),
		abandon: `DELETE FROM bus_inbox WHERE grp = $1 AND id = $2 AND owner = $3 AND NOT done`,
		prune: in(`DELETE FROM bus_inbox WHERE (grp, id) IN (SELECT grp, id FROM bus_inbox WHERE until <= {now}
			AND NOT EXISTS (SELECT 1 FROM bus_outbox WHERE bus_outbox.id = bus_inbox.id) LIMIT $1)`),
	}
}

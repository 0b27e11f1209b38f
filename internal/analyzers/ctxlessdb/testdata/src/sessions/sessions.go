package sessions

import (
	"context"
	"net/http"

	"gorm.io/gorm"
)

type user struct{ ID int }

type store struct {
	db   *gorm.DB
	ctxd *gorm.DB
	tx   *gorm.DB
}

var global *gorm.DB

func open() error {
	db, err := gorm.Open()
	global = db
	return err
}

func newStore(db *gorm.DB) *store { return &store{db: db} }

func (s *store) scoped(ctx context.Context) *store {
	return &store{ctxd: s.db.WithContext(ctx)}
}

// What has to be found.

func (s *store) list(ctx context.Context) (list []user) {
	s.db.Find(&list)                                      // want `\(\*gorm.DB\).Find is called without a context: nothing has called WithContext on s.db; ctx is in reach`
	s.db.Where("id > ?", 1).Find(&list)                   // want `Find is called without a context`
	s.db.Debug().Model(&user{}).Where("x").First(1)       // want `First is called without a context`
	s.db.Session(&gorm.Session{DryRun: true}).Find(&list) // want `Find is called without a context`
	s.db.Exec("DELETE FROM users")                        // want `Exec is called without a context`
	global.Create(&user{})                                // want `Create is called without a context: nothing has called WithContext on global`
	return list
}

func (s *store) variable(ctx context.Context) {
	q := s.db.Where("id > ?", 1)
	if ctx.Value("x") != nil {
		q = q.Where("x")
	}
	q.Find(1) // want `nothing has called WithContext on s.db`
}

func (s *store) transaction(ctx context.Context) error {
	return s.db.Transaction(func(tx *gorm.DB) error { // want `Transaction is called without a context`
		return tx.Create(&user{}).Error
	})
}

func (s *store) begin(ctx context.Context) {
	tx := s.db.Begin() // want `Begin is called without a context`
	defer tx.Rollback()
	tx.Create(&user{}) // want `Create is called without a context`
	tx.Commit()
}

func (s *store) handler(w http.ResponseWriter, r *http.Request) {
	s.db.First(1) // want `r.Context\(\) is in reach`
}

func opened(ctx context.Context) {
	db, _ := gorm.Open()
	db.Find(1) // want `nothing has called WithContext on db`
}

// count has none to give; its caller has.
func (s *store) count() (n int64) { // want count:`ctxlessDB\(count > \(\*gorm.DB\).Count\)`
	s.db.Count(&n) // want `Count is called without a context`
	return n
}

func (s *store) counts(ctx context.Context) int64 {
	return s.count() // want `\(\*sessions.store\).count calls \(\*gorm.DB\).Count without a context; ctx is in reach`
}

// What has not.

func (s *store) fine(ctx context.Context) error {
	s.db.WithContext(ctx).Find(1)
	s.db.Debug().WithContext(ctx).Where("x").Find(1)
	s.db.Session(&gorm.Session{Context: ctx}).Find(1)
	db := s.db.WithContext(ctx)
	db.Find(1)
	db.Where("x").First(1)
	q := s.db.Where("x")
	q = q.WithContext(ctx)
	q.Find(1)
	s.ctxd.Find(1)
	tx := db.Begin()
	tx.Create(1)
	gorm.G[user](s.db).Find(ctx)
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return tx.Create(1).Error
	})
}

// Whoever calls it may have given it one.
func param(ctx context.Context, db *gorm.DB) { db.Find(1) }

func (s *store) field(ctx context.Context) { s.tx.Find(1) }

func get(ctx context.Context) *gorm.DB { return global.WithContext(ctx) }

func (s *store) byFunction(ctx context.Context) { get(ctx).Find(1) }

func (s *store) scopes(ctx context.Context, page func(*gorm.DB) *gorm.DB) {
	s.db.Scopes(page).Find(1)
}

func (s *store) builds(ctx context.Context) *gorm.DB { return s.db.Where("x") }

func (s *store) rollback(ctx context.Context) { s.db.Rollback() }

// entry is no database.
type entry struct{}

func (e *entry) WithContext(ctx context.Context) *entry { return e }
func (e *entry) Exec(s string) *entry                   { return e }

func log(ctx context.Context, e *entry) { e.Exec("x") }

var logger = &entry{}

func logs(ctx context.Context) { logger.Exec("x") }

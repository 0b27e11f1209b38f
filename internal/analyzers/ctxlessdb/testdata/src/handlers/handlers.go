// Package handlers serves several routers.
package handlers

import (
	"context"
	"database/sql"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"
	"github.com/spf13/cobra"
)

type api struct{ db *sql.DB }

func (a *api) gin(c *gin.Context) {
	a.db.Exec("x") // want `use ExecContext; c.Request.Context\(\) is in reach`
	a.db.ExecContext(c.Request.Context(), "x")
}

func (a *api) echo(c echo.Context) error {
	a.db.Exec("x") // want `use ExecContext; c.Request\(\).Context\(\) is in reach`
	return nil
}

func (a *api) fiber(c *fiber.Ctx) error {
	a.db.Exec("x") // want `use ExecContext; c.UserContext\(\) is in reach`
	return nil
}

func (a *api) command() *cobra.Command {
	return &cobra.Command{
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.db.Exec("x") // want `use ExecContext; cmd.Context\(\) is in reach`
			return err
		},
	}
}

func (a *api) both(ctx context.Context, c *gin.Context) {
	a.db.Exec("x") // want `use ExecContext; ctx is in reach`
}

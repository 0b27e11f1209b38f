-- name: Get :one
SELECT id
FROM sessions -- want "fraction order reads table sessions of fraction auth"
WHERE id = $1;

-- name: List :many
SELECT orders.* FROM orders;

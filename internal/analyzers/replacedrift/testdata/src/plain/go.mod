module plain

go 1.24

replace example.com/unused => ../nowhere

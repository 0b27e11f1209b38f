module example.com/inferred

go 1.26

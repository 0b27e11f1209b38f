package gomock

type Controller struct{}

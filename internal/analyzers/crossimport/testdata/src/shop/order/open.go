package order

import (
	"fmt"
	p "plugin"
)

func open(name string) {
	p.Open("../auth/auth.so")       // want `fraction order opens the plugin ../auth/auth.so of fraction auth`
	p.Open(`plugins/auth.so`)       // want `fraction order opens the plugin plugins/auth.so of fraction auth`
	p.Open("auth/build/x.so")       // want `fraction order opens the plugin auth/build/x.so of fraction auth`
	p.Open("/opt/shop/gateway.so")  // want `fraction order opens the plugin /opt/shop/gateway.so of fraction gateway`
	p.Open("/opt/shop/order.so")    // its own
	p.Open("plugins/reports.so")    // nobody's
	p.Open(name)                    // only known when it runs
	fmt.Println("auth/build/x.so")  // no plugin
	p.Open(fmt.Sprintf("%s", name)) // neither
}

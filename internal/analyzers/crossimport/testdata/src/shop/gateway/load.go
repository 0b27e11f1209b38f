package main

import "plugin"

func load() {
	plugin.Open("plugins/order.so") // loaded by the manifest
	plugin.Open("plugins/auth.so")  // want `fraction gateway opens the plugin plugins/auth.so of fraction auth`
}

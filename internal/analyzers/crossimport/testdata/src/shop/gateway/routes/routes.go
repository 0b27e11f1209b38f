package routes

import _ "example.com/shop/authority" // a folder whose name only begins like that of a fraction

// Package contracts is the root of the module that every fraction may import.
//
// Each fraction publishes what it offers below it, one package for each major
// version: auth/v1, auth/v2. A contract is an OpenAPI or Protobuf document and
// the code that comes from it; it holds no behaviour and needs no other module,
// so that whoever imports it takes on nothing else.
package contracts

// Package otlp exports spans over OTLP/HTTP.
//
// Everything in it is behind the build tag otlp: the exporter brings Protobuf,
// gRPC status codes and their dependencies, which a program that exports
// nothing need not compile.
package otlp

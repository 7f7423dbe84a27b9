module agent-fleet/toolchain/standins

go 1.25.6

require (
	github.com/pkg/sftp v1.13.10
	github.com/pulumi/pulumi/sdk/v3 v3.225.0
	golang.org/x/crypto v0.48.0
	google.golang.org/grpc v1.79.1
	google.golang.org/protobuf v1.36.11
)

require (
	github.com/kr/fs v0.1.0 // indirect
	golang.org/x/net v0.51.0 // indirect
	golang.org/x/sys v0.41.0 // indirect
	golang.org/x/text v0.34.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260226221140-a57be14db171 // indirect
)

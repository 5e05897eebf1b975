module k3s-in-gvisor/test/native/interceptor/goroutines

go 1.26.8

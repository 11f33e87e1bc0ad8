package trine

/*
#include <stdint.h>
#include <stdlib.h>
*/
import "C"
import "unsafe"

//export trine_handle
func trine_handle(event *C.uint8_t, eventLen C.size_t, about *C.uint8_t, aboutLen C.size_t, out **C.uint8_t, outLen *C.size_t) C.int32_t {
	// The event is the handler's to keep, and Trine's bytes are not.
	result, ok := call(copied(event, eventLen), copied(about, aboutLen))
	if len(result) > 0 {
		*out = (*C.uint8_t)(C.CBytes(result))
		*outLen = C.size_t(len(result))
	}
	if ok {
		return 0
	}
	return 1
}

//export trine_free
func trine_free(out *C.uint8_t, outLen C.size_t) {
	C.free(unsafe.Pointer(out))
}

// Go's runtime has started when this returns, and with it its handlers of signals.
//
//export trine_init
func trine_init(root *C.char, facts *C.uint8_t, factsLen C.size_t, out **C.uint8_t, outLen *C.size_t) C.int32_t {
	return 0
}

//export trine_threads
func trine_threads() C.uint32_t {
	return C.uint32_t(threads)
}

//export trine_warn
func trine_warn(id *C.char) {
	warned(C.GoString(id))
}

func copied(bytes *C.uint8_t, length C.size_t) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(unsafe.Pointer(bytes)), int(length))...)
}

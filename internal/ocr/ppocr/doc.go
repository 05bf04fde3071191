// Package ppocr reads ID cards with the PP-OCRv4 mobile models (PaddleOCR) on
// ONNX Runtime, on the CPU, in this process: a detector finds the lines, a
// classifier tells which way is up, a recogniser reads line by line, package
// idcard makes fields of the lines, and the name is read a second time in other
// ways, since rare characters are lost or replaced without a trace in the
// recogniser's own confidence.
//
// The library is native code on untrusted pictures: a server uses package
// local, which runs this one in a child process. Without cgo the package
// compiles, and Open reports ocr.ErrUnavailable.
package ppocr

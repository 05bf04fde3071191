//go:build cgo

package ppocr

import (
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Supported reports whether this binary was built with the engine.
const Supported = true

// model is an ONNX network with one input and one output of float32.
type model struct {
	session *ort.DynamicAdvancedSession
}

// environment loads the library, which can be done once in a process.
var environment struct {
	sync.Mutex
	library string
}

func loadLibrary(path string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == path {
		return nil
	}
	if environment.library != "" {
		return errors.New("another ONNX Runtime is loaded in this process")
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("load ONNX Runtime: %w", err)
	}
	environment.library = path
	return nil
}

// openModel prepares a network that runs on a number of threads.
func openModel(path string, threads int) (*model, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	// Waiting threads sleep instead of spinning: the machine has other work.
	err = errors.Join(
		options.SetIntraOpNumThreads(threads),
		options.SetInterOpNumThreads(1),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.SetLogSeverityLevel(ort.LoggingLevelError),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, err
	}
	if len(inputs) != 1 || len(outputs) != 1 {
		return nil, fmt.Errorf("%d inputs and %d outputs, not one each", len(inputs), len(outputs))
	}
	session, err := ort.NewDynamicAdvancedSession(path, []string{inputs[0].Name}, []string{outputs[0].Name}, options)
	if err != nil {
		return nil, err
	}
	return &model{session}, nil
}

// run feeds three planes of height x width and hands the output to use, which
// must not keep it. It is safe for concurrent use.
func (m *model) run(planes []float32, height, width int, use func(output []float32, shape []int64)) error {
	input, err := ort.NewTensor(ort.NewShape(1, 3, int64(height), int64(width)), planes)
	if err != nil {
		return err
	}
	defer input.Destroy()
	outputs := []ort.Value{nil}
	if err := m.session.Run([]ort.Value{input}, outputs); err != nil {
		return err
	}
	defer outputs[0].Destroy()
	output, ok := outputs[0].(*ort.Tensor[float32])
	if !ok {
		return errors.New("output is not float32")
	}
	use(output.GetData(), output.GetShape())
	return nil
}

func (m *model) close() error { return m.session.Destroy() }

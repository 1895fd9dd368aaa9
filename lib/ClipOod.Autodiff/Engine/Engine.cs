using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ClipOod.Autodiff;

/// <summary>
/// The numeric engine, ONNX Runtime, on which all graphs run: on the CPU by default, on a CUDA device where the
/// library was built with <c>-p:OnnxRuntimeFlavor=Gpu</c> and one is present.
/// </summary>
public static class Engine
{
    private const string CudaProvider = "CUDAExecutionProvider";

    // Null: CUDA runs. Otherwise why it does not, for Describe.
    private static readonly Lazy<string?> _noCuda = new(ProbeCuda);

    /// <summary>Number of threads that the library computes with: the processors this process may use.</summary>
    public static int Threads => Environment.ProcessorCount;

    /// <summary>The execution provider in use: "CPU" or "CUDA".</summary>
    public static string Provider => _noCuda.Value is null ? "CUDA" : "CPU";

    /// <summary>
    /// One line that says what computes: ONNX Runtime's version, the execution provider, the number of threads, and
    /// in a GPU build that runs on the CPU, why.
    /// </summary>
    public static string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, {Provider} execution provider, {Threads} {(Threads == 1 ? "thread" : "threads")}")
        + (_noCuda.Value is { Length: > 0 } reason ? $" (built for CUDA, which is not usable here: {reason})" : "");

    /// <summary>Loads an ONNX model with full graph optimisation.</summary>
    /// <param name="model">The serialized model, for example by <see cref="Graph.ToModel(IReadOnlyList{ClipOod.Autodiff.Tensor}, bool)"/>.</param>
    /// <param name="threads">
    /// Number of threads of one run, all processors where null; several threads may run one session at once.
    /// </param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public static InferenceSession CreateSession(byte[] model, int? threads = null)
    {
        using SessionOptions options = CreateOptions(threads);
        return new InferenceSession(model, options);
    }

    /// <summary>Loads an ONNX model file, and the files of external data beside it, with full graph optimisation.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Number of threads of one run, all processors where null.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public static InferenceSession CreateSession(string path, int? threads = null)
    {
        using SessionOptions options = CreateOptions(threads);
        return new InferenceSession(path, options);
    }

    /// <summary>A tensor over memory that the caller keeps; nothing is copied.</summary>
    public static OrtValue Tensor<T>(Memory<T> values, params long[] shape)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);

    /// <summary>
    /// Loads the part of a graph that computes its outputs, for callers that bind every input themselves.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="threads">Number of threads of one run; several threads may run one session at once.</param>
    /// <param name="onCpu">Whether to stay off CUDA, for operators that it has not.</param>
    internal static InferenceSession CreateSession(Graph graph, int threads, bool onCpu = false)
    {
        using SessionOptions options = CreateOptions(threads, onCpu);
        return new InferenceSession(graph.ToModel(graph.Outputs), options);
    }

    /// <summary>The options of every session.</summary>
    internal static SessionOptions CreateOptions(int? threads, bool onCpu = false)
    {
        SessionOptions options = new()
        {
            IntraOpNumThreads = threads ?? Threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        if (!onCpu && _noCuda.Value is null)
        {
            options.AppendExecutionProvider_CUDA();
        }

        return options;
    }

    /// <summary>Memory for a tensor on the device of a session.</summary>
    internal static OrtValue Allocate(InferenceSession session, ElementType type, long[] shape)
    {
        if (_noCuda.Value is not null)
        {
            return OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)type, shape);
        }

        using OrtMemoryInfo device = new("Cuda", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        using OrtAllocator allocator = new(session, device);
        return OrtValue.CreateAllocatedTensorValue(allocator, (TensorElementType)type, shape);
    }

    private static string? ProbeCuda()
    {
        if (!OrtEnv.Instance().GetAvailableProviders().Contains(CudaProvider))
        {
            return "";
        }

        try
        {
            using SessionOptions options = new();
            options.AppendExecutionProvider_CUDA();
            return null;
        }
        catch (OnnxRuntimeException error)
        {
            return error.Message.ReplaceLineEndings(" ");
        }
    }
}

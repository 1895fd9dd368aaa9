using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// The numeric engine, ONNX Runtime, on which the heavy products of the library run: on the CPU by default, on a CUDA
/// device where the library was built with <c>-p:OnnxRuntimeFlavor=Gpu</c> and one is present. Nearest-neighbour search
/// stays on the CPU.
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
        $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, {Provider} execution provider, {Threads} threads")
        + (_noCuda.Value is { Length: > 0 } reason ? $" (built for CUDA, which is not usable here: {reason})" : "");

    /// <summary>
    /// Loads a graph. A session may run on several threads at once and itself uses <paramref name="threads"/> per run.
    /// <paramref name="onCpu"/> keeps it off CUDA.
    /// </summary>
    internal static InferenceSession CreateSession(OnnxGraph graph, int threads, bool onCpu = false)
    {
        using SessionOptions options = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
        };
        if (!onCpu && _noCuda.Value is null)
        {
            options.AppendExecutionProvider_CUDA();
        }

        return new InferenceSession(graph.ToModel(), options);
    }

    /// <summary>A tensor over memory that the caller keeps; nothing is copied.</summary>
    internal static OrtValue Tensor<T>(Memory<T> values, params long[] shape)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);

    /// <summary>A tensor over some rows of embeddings; nothing is copied, and ONNX Runtime never writes to its inputs.</summary>
    internal static OrtValue Tensor(Embeddings embeddings, int start, int rows) => Tensor(
        MemoryMarshal.AsMemory(embeddings.Memory).Slice(start * embeddings.Width, rows * embeddings.Width),
        rows,
        embeddings.Width);

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

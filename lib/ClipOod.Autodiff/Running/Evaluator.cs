using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>Computes tensors of a graph from fed inputs and the present values of its weights.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly Program _program;

    /// <summary>Prepares the part of the graph that some tensors depend on.</summary>
    /// <param name="outputs">The tensors to compute, all of one graph.</param>
    /// <param name="constantWeights">
    /// Whether to keep the values that the weights have now for good, which lets ONNX Runtime lay them out for speed;
    /// otherwise every run uses their values at that time.
    /// </param>
    /// <param name="training">Whether dropout drops.</param>
    /// <param name="threads">Number of threads of one run, all processors where null.</param>
    /// <exception cref="ArgumentException">There is no output, or the outputs are of different graphs.</exception>
    public Evaluator(IReadOnlyList<Tensor> outputs, bool constantWeights = false, bool training = false, int? threads = null)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        if (outputs.Count == 0)
        {
            throw new ArgumentException("Got no tensor to compute, expected at least one.", nameof(outputs));
        }

        Outputs = outputs;
        _program = new Program(outputs[0].Graph, outputs, training, threads, constantWeights);
    }

    /// <summary>The tensors that it computes.</summary>
    public IReadOnlyList<Tensor> Outputs { get; }

    /// <summary>Computes the tensors. Several threads may do so at once.</summary>
    /// <param name="feeds">Values for all inputs that the outputs depend on.</param>
    /// <returns>The values, in the order of <see cref="Outputs"/>.</returns>
    /// <exception cref="ArgumentException">A feed is missing, unknown or does not fit its input.</exception>
    public IReadOnlyList<TensorValue> Run(params ReadOnlySpan<Feed> feeds)
    {
        using OrtIoBinding binding = _program.Session.CreateIoBinding();
        List<OrtValue> temporary = _program.Bind(binding, feeds, leaf => ((Weight)leaf).Current);
        try
        {
            return _program.Run(binding, Outputs);
        }
        finally
        {
            temporary.ForEach(value => value.Dispose());
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _program.Dispose();
}

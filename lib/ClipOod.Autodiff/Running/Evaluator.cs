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
    /// <param name="quantized">
    /// Whether linear layers multiply 8-bit codes, on the CPU: those of the weights with a scale for each output, made here, and those of
    /// each row of the input with a scale of its own, made in each run, so that a row does not depend on the others. For constant
    /// weights in single precision; nothing is differentiated so.
    /// </param>
    /// <exception cref="ArgumentException">There is no output, the outputs are of different graphs, or the weights are to be quantised and not constant or of double precision.</exception>
    public Evaluator(IReadOnlyList<Tensor> outputs, bool constantWeights = false, bool training = false, int? threads = null, bool quantized = false)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        if (outputs.Count == 0)
        {
            throw new ArgumentException("Got no tensor to compute, expected at least one.", nameof(outputs));
        }

        if (quantized && (!constantWeights || outputs[0].Graph.Type != ElementType.Float))
        {
            throw new ArgumentException("Only constant weights in single precision are quantised: set constantWeights, or leave quantized out.", nameof(quantized));
        }

        Outputs = outputs;
        _program = new Program(outputs[0].Graph, outputs, training, threads, constantWeights, quantized);
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

using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>A part of a graph loaded into ONNX Runtime, and the binding of values to its inputs.</summary>
internal sealed class Program : IDisposable
{
    // Smaller constants are kept in the model, where ONNX Runtime's optimiser can read them.
    private const long SmallestApart = 1 << 16;

    private readonly IReadOnlyList<Tensor> _leaves;
    private readonly Dictionary<string, Tensor> _inputs;

    // The names in the model; Graph.Output may give a tensor another one later.
    private readonly Dictionary<Tensor, string> _names;

    // ONNX Runtime reads these as long as the session lives.
    private readonly List<OrtValue> _kept = [];

    // The same, made for this session alone.
    private readonly List<OrtValue> _made = [];

    public Program(Graph graph, IReadOnlyList<Tensor> outputs, bool training, int? threads, bool constantWeights = false, bool quantized = false)
    {
        Outputs = [.. outputs.Distinct()];
        _names = Outputs.ToDictionary(tensor => tensor, tensor => tensor.Name);
        Dictionary<Node, QuantizedWeights> weights = quantized ? graph.Quantize(outputs) : [];
        IReadOnlyList<Tensor> leaves = graph.LeavesOf(outputs, weights);
        Weight[] constants = constantWeights ? [.. leaves.OfType<Weight>()] : [];
        _leaves = [.. leaves.Except(constants)];
        _inputs = leaves.Where(graph.Inputs.Contains).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        using SessionOptions options = Engine.CreateOptions(threads, onCpu: quantized);
        Session = constantWeights
            ? LoadConstant(graph, training, constants, weights, options)
            : new InferenceSession(graph.ToModel(Outputs, training), options);
    }

    public InferenceSession Session { get; }

    /// <summary>What is computed, each tensor once.</summary>
    public IReadOnlyList<Tensor> Outputs { get; }

    /// <summary>Binds memory that the next run writes an output to.</summary>
    public void BindOutput(OrtIoBinding binding, Tensor output, OrtValue memory) => binding.BindOutput(_names[output], memory);

    /// <summary>Runs, and copies what <paramref name="read"/> names; these outputs must be unbound, all others bound.</summary>
    public TensorValue[] Run(OrtIoBinding binding, IReadOnlyList<Tensor> read)
    {
        Tensor[] distinct = [.. read.Distinct()];
        foreach (Tensor tensor in distinct)
        {
            binding.BindOutputToDevice(_names[tensor], OrtMemoryInfo.DefaultInstance);
        }

        using RunOptions options = new();
        Session.RunWithBinding(options, binding);
        using IDisposableReadOnlyCollection<OrtValue> results = binding.GetOutputValues();
        string[] names = binding.GetOutputNames();
        Dictionary<Tensor, TensorValue> values = distinct.ToDictionary(
            tensor => tensor,
            tensor => TensorValue.CopyOf(results[Array.IndexOf(names, _names[tensor])]));
        return [.. read.Select(tensor => values[tensor])];
    }

    /// <summary>Copies values from the memory of a device, which only a run can read: one that computes nothing.</summary>
    public static TensorValue Fetch(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        Graph graph = new("fetch");
        Tensor input = graph.Input("device", (ElementType)info.ElementDataType, [.. info.Shape.Select(Dimension.FromInt64)]);
        using Program program = new(graph, [graph.Output("host", input)], training: false, threads: 1);
        using OrtIoBinding binding = program.Session.CreateIoBinding();
        binding.BindInput(input.Name, value);
        return program.Run(binding, program.Outputs)[0];
    }

    public void Dispose()
    {
        Session.Dispose();
        _made.ForEach(value => value.Dispose());
    }

    /// <summary>
    /// Binds the feeds to inputs, after checking that they are complete and fit, and to the other leaves what
    /// <paramref name="valueOf"/> gives. The values returned are temporary; they must be disposed after the run.
    /// </summary>
    public List<OrtValue> Bind(OrtIoBinding binding, ReadOnlySpan<Feed> feeds, Func<Tensor, OrtValue> valueOf)
    {
        Dictionary<string, object> given = new(StringComparer.Ordinal);
        foreach (Feed feed in feeds)
        {
            if (!_inputs.ContainsKey(feed.Name))
            {
                throw new ArgumentException($"There is no input '{feed.Name}' here. Inputs: {Names(_inputs.Values)}.", nameof(feeds));
            }

            if (!given.TryAdd(feed.Name, feed.Values))
            {
                throw new ArgumentException($"Input '{feed.Name}' is fed twice.", nameof(feeds));
            }
        }

        if (given.Count < _inputs.Count)
        {
            throw new ArgumentException($"Not fed: {Names(_inputs.Values.Where(input => !given.ContainsKey(input.Name)))}.", nameof(feeds));
        }

        List<OrtValue> temporary = [];
        Dictionary<string, (long Size, string Input)> symbols = new(StringComparer.Ordinal);
        foreach (Tensor leaf in _leaves)
        {
            if (given.TryGetValue(leaf.Name, out object? values))
            {
                OrtValue value = ToOrtValue(leaf, values, symbols);
                temporary.Add(value);
                binding.BindInput(leaf.Name, value);
            }
            else
            {
                binding.BindInput(leaf.Name, valueOf(leaf));
            }
        }

        return temporary;
    }

    /// <summary>
    /// Loads the graph with its weights as constants. Large ones stay where they are, and ONNX Runtime reads them
    /// there, so that loading takes neither their time nor their memory a second time.
    /// </summary>
    private InferenceSession LoadConstant(Graph graph, bool training, Weight[] weights, Dictionary<Node, QuantizedWeights> quantized, SessionOptions options)
    {
        HashSet<Tensor> folded = graph.FoldedWith(Outputs, quantized);
        Weight[] apart = [.. weights.Where(p => p.Count * p.Type.SizeOf() >= SmallestApart && !folded.Contains(p))];
        foreach (Weight weight in apart)
        {
            OrtValue value = weight.Keep();
            _kept.Add(value);
            options.AddInitializer(weight.Name, value);
        }

        foreach ((string name, OrtValue value) in quantized.Values.Distinct().SelectMany(weights => weights.Values))
        {
            _made.Add(value);
            options.AddInitializer(name, value);
        }

        // To ONNX Runtime these are tensors of an external file, replaced by ours. The file must exist but is not read,
        // and must lie beside the model: it is the model.
        DirectoryInfo folder = Directory.CreateTempSubdirectory("clipood-");
        try
        {
            string path = Path.Combine(folder.FullName, Graph.ExternalFile);
            File.WriteAllBytes(path, graph.ToModel(
                Outputs,
                training,
                weight => apart.Contains(weight) ? Graph.ToExternalProto(weight.Name, weight.Type, weight.Shape.ToSizes()) : graph.ValueOf(weight),
                quantized));
            return new InferenceSession(path, options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Names(IEnumerable<Tensor> tensors) => string.Join(", ", tensors.Select(tensor => $"'{tensor.Name}' {tensor.Type} {tensor.Shape}"));

    private static OrtValue ToOrtValue(Tensor input, object values, Dictionary<string, (long Size, string Input)> symbols)
    {
        (ElementType Type, long Count, long[]? Shape) got = values switch
        {
            TensorValue value => (value.Type, value.Count, value.Shape),
            Memory<float> memory => (ElementType.Float, memory.Length, null),
            Array array => (
                ElementTypes.Of(array.GetType().GetElementType()!),
                array.LongLength,
                array.Rank == 1 && input.Rank != 1 ? null : [.. Enumerable.Range(0, array.Rank).Select(array.GetLongLength)]),
            _ => throw new ArgumentException($"Input '{input.Name}' was fed no values."),
        };
        if (got.Type != input.Type)
        {
            throw new ArgumentException($"Input '{input.Name}' is {input.Type} {input.Shape}, got values of type {got.Type}.");
        }

        long[] sizes = Resolve(input, got.Count, got.Shape, symbols);
        return values switch
        {
            TensorValue value => value.ToOrtValue(),
            Memory<float> memory => Engine.Tensor(memory, sizes),
            float[] array => Engine.Tensor<float>(array, sizes),
            double[] array => Engine.Tensor<double>(array, sizes),
            long[] array => Engine.Tensor<long>(array, sizes),
            int[] array => Engine.Tensor<int>(array, sizes),
            byte[] array => Engine.Tensor<byte>(array, sizes),
            bool[] array => Engine.Tensor<bool>(array, sizes),
            _ => TensorValue.FromArray((Array)values).ToOrtValue(),
        };
    }

    /// <summary>The sizes of an input in this run: symbols take the size they have in other inputs, or what is left.</summary>
    private static long[] Resolve(Tensor input, long count, long[]? shape, Dictionary<string, (long Size, string Input)> symbols)
    {
        ArgumentException bad(string got) => new($"Input '{input.Name}' is {input.Type} {input.Shape}, got {got}.");
        if (shape is not null)
        {
            if (shape.Length != input.Rank)
            {
                throw bad($"shape ({string.Join(", ", shape)})");
            }
        }
        else
        {
            shape = new long[input.Rank];
            long known = 1;
            int open = -1;
            for (int i = 0; i < shape.Length; i++)
            {
                Dimension dimension = input.Shape[i];
                shape[i] = dimension.IsFixed ? dimension.Size : symbols.TryGetValue(dimension.ToString(), out (long Size, string) symbol) ? symbol.Size : -1;
                if (shape[i] < 0)
                {
                    open = open < 0 ? i : throw bad("values without a shape, with more than one size open: feed a TensorValue");
                }
                else
                {
                    known *= shape[i];
                }
            }

            if (open >= 0)
            {
                shape[open] = count / known;
                known *= shape[open];
            }

            if (known != count || count == 0)
            {
                throw bad($"{count} values, which do not fill it{Reasons(input, symbols)}");
            }
        }

        for (int i = 0; i < shape.Length; i++)
        {
            Dimension dimension = input.Shape[i];
            if (dimension.IsFixed ? shape[i] != dimension.Size : !symbols.TryAdd(dimension.ToString(), (shape[i], input.Name)) && symbols[dimension.ToString()].Size != shape[i])
            {
                throw bad($"shape ({string.Join(", ", shape)}){Reasons(input, symbols)}");
            }
        }

        return shape;
    }

    private static string Reasons(Tensor input, Dictionary<string, (long Size, string Input)> symbols) => string.Concat(input.Shape
        .Select(dimension => dimension.ToString())
        .Where(symbols.ContainsKey)
        .Select(name => FormattableString.Invariant($"; {name} is {symbols[name].Size} in input '{symbols[name].Input}'")));
}

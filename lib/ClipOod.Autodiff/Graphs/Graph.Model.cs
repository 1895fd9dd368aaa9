using System.Globalization;
using ClipOod.Autodiff.Onnx;
using Google.Protobuf;
using static ClipOod.Autodiff.Onnx.AttributeProto.Types;

namespace ClipOod.Autodiff;

/// <content>Writing the graph as an ONNX model.</content>
public sealed partial class Graph
{
    // Opset 17 holds every operator used here and is read by every ONNX Runtime since 1.12.
    private const int OpsetVersion = 17;
    private const int IrVersion = 8;

    // Beside which the values of large constants are said to lie: the model itself.
    internal const string ExternalFile = "model.onnx";

    // Protocol buffers end at 2 GiB.
    private const long LargestModel = 2_000_000_000;

    /// <summary>The part of the graph that computes some tensors, as a serialized ONNX model (opset 17).</summary>
    /// <param name="outputs">The tensors; they are the model's outputs, by name and in this order. Weights are inputs, after those of the graph.</param>
    /// <param name="training">Whether dropout drops.</param>
    public byte[] ToModel(IReadOnlyList<Tensor> outputs, bool training = false) => ToModel(outputs, training, initializer: null);

    /// <summary>The leaves (inputs, weights, states) that some tensors depend on, in the order of their making.</summary>
    /// <param name="outputs">The tensors.</param>
    /// <param name="quantized">The nodes that take 8-bit codes in place of their weights.</param>
    internal IReadOnlyList<Tensor> LeavesOf(IReadOnlyList<Tensor> outputs, Dictionary<Node, QuantizedWeights> quantized) =>
        [.. Needed(outputs, quantized, out _).Where(t => t.Producer is null && !_constants.ContainsKey(t) && t != _trainingMode)];

    /// <summary>The model, with the weights that <paramref name="initializer"/> gives a value inside it.</summary>
    internal byte[] ToModel(
        IReadOnlyList<Tensor> outputs, bool training, Func<Weight, TensorProto>? initializer, Dictionary<Node, QuantizedWeights>? quantized = null)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        quantized ??= [];
        GraphProto graph = new() { Name = Name };
        HashSet<Node> written = [];
        foreach (Tensor tensor in Needed(outputs, quantized, out Dictionary<Node, (Tensor Tensor, int Axis)> sources))
        {
            if (tensor.Producer is { } node)
            {
                if (quantized.TryGetValue(node, out QuantizedWeights? weights))
                {
                    graph.Node.Add(weights.ToProto(node));
                }
                else if (written.Add(node))
                {
                    graph.Node.Add(sources.TryGetValue(node, out (Tensor Tensor, int Axis) source) ? ToProto(SizeReader(node, source)) : ToProto(node));
                }
            }
            else if (_constants.TryGetValue(tensor, out byte[]? bytes))
            {
                graph.Initializer.Add(ToProto(tensor, bytes));
            }
            else if (tensor == _trainingMode)
            {
                graph.Initializer.Add(ToProto(tensor, [training ? (byte)1 : (byte)0]));
            }
            else if (tensor is Weight weight && initializer is not null)
            {
                graph.Initializer.Add(initializer(weight));
            }
            else
            {
                graph.Input.Add(Describe(tensor));
            }
        }

        if (quantized.Count > 0)
        {
            graph.Initializer.Add(QuantizedWeights.Constants());
            graph.Initializer.Add(quantized.Values.Distinct().SelectMany(weights => weights.ToExternalProtos()));
        }

        graph.Output.Add(outputs.Select(Describe));
        ModelProto model = new()
        {
            IrVersion = IrVersion,
            ProducerName = nameof(ClipOod),
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = OpsetVersion } },
        };
        return model.ToByteArray();
    }

    private static TensorProto ToProto(Tensor tensor, ReadOnlySpan<byte> bytes) => new()
    {
        Name = tensor.Name,
        DataType = (int)tensor.Type,
        Dims = { tensor.Shape.ToSizes() },
        RawData = ByteString.CopyFrom(bytes),
    };

    /// <summary>All tensors that some depend on, and these, in the order of their making.</summary>
    private IEnumerable<Tensor> Needed(IReadOnlyList<Tensor> outputs) => Needed(outputs, [], out _);

    /// <summary>The same, with where the nodes that read a size of an input read it.</summary>
    /// <remarks>
    /// That is an input that is needed anyway and has this size, rather than the one that the symbol was first seen on: texts are
    /// then computed without feeding the images that share their batch size elsewhere in the graph.
    /// </remarks>
    private IEnumerable<Tensor> Needed(
        IReadOnlyList<Tensor> outputs, Dictionary<Node, QuantizedWeights> quantized, out Dictionary<Node, (Tensor Tensor, int Axis)> sources)
    {
        HashSet<Tensor> needed = [];
        Queue<Node> sizes = [];
        Stack<Tensor> open = new(outputs);
        sources = [];
        while (true)
        {
            while (open.TryPop(out Tensor? tensor))
            {
                RequireMine(tensor, nameof(outputs));
                if (!needed.Add(tensor))
                {
                    continue;
                }

                if (tensor.Producer is { Operation: "Shape" } node && _inputs.Contains(node.Inputs[0]))
                {
                    sizes.Enqueue(node);
                    continue;
                }

                foreach (Tensor input in tensor.Producer is not { } maker ? [] : quantized.ContainsKey(maker) ? QuantizedWeights.InputsOf(maker) : maker.Inputs)
                {
                    open.Push(input);
                }
            }

            // All others are known by now.
            if (!sizes.TryDequeue(out Node? reader))
            {
                return needed.OrderBy(tensor => tensor.Id);
            }

            Tensor first = reader.Inputs[0];
            Dimension size = first.Shape[(int)reader.Attributes[0].Value];
            Tensor source = needed.Contains(first)
                ? first
                : _inputs.Find(input => needed.Contains(input) && input.Shape.Contains(size)) ?? first;
            sources.Add(reader, (source, source.Shape.ToList().IndexOf(size)));
            open.Push(source);
        }
    }

    /// <summary>The weights from which ONNX Runtime computes other constants before the first run, where weights are constant.</summary>
    internal HashSet<Tensor> FoldedWith(IReadOnlyList<Tensor> outputs, Dictionary<Node, QuantizedWeights> quantized)
    {
        HashSet<Tensor> constant = [];
        HashSet<Tensor> folded = [];
        foreach (Tensor tensor in Needed(outputs, quantized, out _))
        {
            if (tensor is Weight || _constants.ContainsKey(tensor))
            {
                constant.Add(tensor);
            }
            else if (tensor.Producer is { } node && node.Inputs.All(constant.Contains))
            {
                constant.Add(tensor);
                folded.UnionWith(node.Inputs);
            }
        }

        return folded;
    }

    /// <summary>A constant whose values ONNX Runtime is given apart from the model.</summary>
    internal static TensorProto ToExternalProto(string name, ElementType type, long[] sizes) => new()
    {
        Name = name,
        DataType = (int)type,
        Dims = { sizes },
        DataLocation = TensorProto.Types.DataLocation.External,
        ExternalData = { new StringStringEntryProto { Key = "location", Value = ExternalFile } },
    };

    /// <summary>
    /// The linear layers that some tensors depend on whose weights are a weight or whole rows of one, as PyTorch lays them out, with
    /// the 8-bit codes of its present values.
    /// </summary>
    internal Dictionary<Node, QuantizedWeights> Quantize(IReadOnlyList<Tensor> outputs)
    {
        Dictionary<(Weight, int, int), QuantizedWeights> made = [];
        Dictionary<Node, QuantizedWeights> quantized = [];
        foreach (Node node in Needed(outputs).Select(tensor => tensor.Producer).OfType<Node>().Distinct())
        {
            if (node.Operation == "Gemm" && node.Attributes.Contains(("transB", 1)) && RowsOf(node.Inputs[1]) is { } rows)
            {
                quantized.Add(node, made.TryGetValue(rows, out QuantizedWeights? weights) ? weights : made[rows] = new QuantizedWeights(rows.Weight, rows.From, rows.To));
            }
        }

        return quantized;
    }

    /// <summary>The weight that a tensor is, or of which it is a slice of rows; null for others.</summary>
    private (Weight Weight, int From, int To)? RowsOf(Tensor tensor)
    {
        switch (tensor)
        {
            case Weight whole:
                return (whole, 0, (int)whole.Shape[0].Size);
            case { Producer: { Operation: "Slice" } slice } when slice.Inputs[0] is Weight weight
                && slice.Inputs.Skip(1).Select(input => _constants.TryGetValue(input, out byte[]? bytes) && bytes.Length == sizeof(long) ? BitConverter.ToInt64(bytes) : -1).ToArray()
                    is [>= 0 and var from, > 0 and var to, 0] && to <= weight.Shape[0].Size:
                return (weight, (int)from, (int)to);
            default:
                return null;
        }
    }

    /// <summary>A constant with the present values of a weight.</summary>
    internal TensorProto ValueOf(Weight weight)
    {
        long size = _weights.Sum(p => p.Count * p.Type.SizeOf());
        return size <= LargestModel
            ? ToProto(weight, weight.Value.Bytes)
            : throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"The weights of graph '{Name}' take {size} bytes; one ONNX file holds {LargestModel}."));
    }

    private static Node SizeReader(Node node, (Tensor Tensor, int Axis) source) =>
        new(node.Operation, [source.Tensor], [("start", source.Axis), ("end", source.Axis + 1)]) { Outputs = node.Outputs };

    private static NodeProto ToProto(Node node)
    {
        NodeProto proto = new()
        {
            OpType = node.Operation,
            Name = node.Outputs[0].Name,
            Input = { node.Inputs.Select(tensor => tensor.Name) },
            Output = { node.Outputs.Select(tensor => tensor.Name) },
        };
        proto.Attribute.Add(node.Attributes.Select(attribute => ToProto(attribute.Name, attribute.Value)));
        return proto;
    }

    internal static AttributeProto ToProto(string name, object value) => value switch
    {
        float f => new() { Name = name, F = f, Type = AttributeType.Float },
        int i => new() { Name = name, I = i, Type = AttributeType.Int },
        long[] ints => new() { Name = name, Ints = { ints }, Type = AttributeType.Ints },
        string s => new() { Name = name, S = ByteString.CopyFromUtf8(s), Type = AttributeType.String },

        // An element type stands for a zero of it, as ConstantOfShape takes one.
        ElementType type => new()
        {
            Name = name,
            T = new TensorProto { DataType = (int)type, Dims = { 1 }, RawData = ByteString.CopyFrom(new byte[type.SizeOf()]) },
            Type = AttributeType.Tensor,
        },
        _ => throw new ArgumentException($"Attribute {name} is a {value.GetType().Name}, for which there is no ONNX form here.", nameof(value)),
    };

    private static ValueInfoProto Describe(Tensor tensor)
    {
        TensorShapeProto shape = new();
        shape.Dim.Add(tensor.Shape.Select(dimension => dimension.IsFixed
            ? new DimensionProto { DimValue = dimension.Size }
            : new DimensionProto { DimParam = dimension.ToString() }));
        TensorTypeProto type = new() { ElemType = (int)tensor.Type, Shape = shape };
        return new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = type } };
    }
}

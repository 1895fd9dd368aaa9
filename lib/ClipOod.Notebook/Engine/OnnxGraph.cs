using System.Globalization;
using System.Runtime.InteropServices;
using ClipOod.Notebook.Onnx;
using Google.Protobuf;

namespace ClipOod.Notebook;

/// <summary>
/// Builds an ONNX model node by node. Tensors are named by strings: <see cref="Input"/>, <see cref="Constant(float[])"/>
/// and <see cref="Node"/> return the name to pass on.
/// </summary>
internal sealed class OnnxGraph
{
    // Opset 17 holds every operator used here and is read by every ONNX Runtime since 1.12.
    private const int OpsetVersion = 17;
    private const int IrVersion = 8;

    private readonly GraphProto _graph;
    private int _names;

    public OnnxGraph(string name) => _graph = new GraphProto { Name = name };

    /// <summary>Declares an input; a dimension is a number, or a name where it varies between runs.</summary>
    public string Input(string name, DataType type, params object[] dimensions)
    {
        _graph.Input.Add(Describe(name, type, dimensions));
        return name;
    }

    /// <summary>Declares that tensor <paramref name="name"/> is an output.</summary>
    public void Output(string name, DataType type, params object[] dimensions) =>
        _graph.Output.Add(Describe(name, type, dimensions));

    /// <summary>A single-precision scalar, or a vector where several values are given.</summary>
    public string Constant(params float[] values) =>
        Constant(DataType.Float, MemoryMarshal.AsBytes<float>(values), values.Length == 1 ? [] : [values.Length]);

    /// <summary>A vector of whole numbers, such as axes.</summary>
    public string Constant(params long[] values) =>
        Constant(DataType.Int64, MemoryMarshal.AsBytes<long>(values), [values.Length]);

    /// <summary>
    /// Adds a node with one output and returns its name. Attributes are float, int or long[]; <paramref name="output"/>
    /// names the result where it is an output of the graph.
    /// </summary>
    public string Node(string operation, string[] inputs, (string Name, object Value)[]? attributes = null, string? output = null)
    {
        output ??= NewName(operation);
        NodeProto node = new() { OpType = operation, Name = output, Input = { inputs }, Output = { output } };
        foreach ((string name, object value) in attributes ?? [])
        {
            node.Attribute.Add(Attribute(name, value));
        }

        _graph.Node.Add(node);
        return output;
    }

    /// <summary>The serialized model.</summary>
    public byte[] ToModel()
    {
        ModelProto model = new()
        {
            IrVersion = IrVersion,
            ProducerName = nameof(ClipOod),
            Graph = _graph,
            OpsetImport = { new OperatorSetIdProto { Version = OpsetVersion } },
        };
        return model.ToByteArray();
    }

    /// <summary>A byte, such as a zero point.</summary>
    public string Constant(byte value) => Constant(DataType.Uint8, [value], []);

    private string Constant(DataType type, ReadOnlySpan<byte> data, long[] shape)
    {
        string name = NewName("Constant");
        _graph.Initializer.Add(new TensorProto
        {
            Name = name,
            DataType = type,
            Dims = { shape },
            RawData = ByteString.CopyFrom(data),
        });
        return name;
    }

    private string NewName(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}_{_names++}");

    private static AttributeProto Attribute(string name, object value) => value switch
    {
        float f => new() { Name = name, F = f, Type = AttributeProto.Types.AttributeType.Float },
        int i => new() { Name = name, I = i, Type = AttributeProto.Types.AttributeType.Int },
        long[] ints => new() { Name = name, Ints = { ints }, Type = AttributeProto.Types.AttributeType.Ints },
        _ => throw new ArgumentException(
            $"Attribute {name} is a {value.GetType().Name}, expected float, int or long[].", nameof(value)),
    };

    private static ValueInfoProto Describe(string name, DataType type, object[] dimensions)
    {
        TensorShapeProto shape = new();
        foreach (object dimension in dimensions)
        {
            shape.Dim.Add(dimension is string symbol
                ? new DimensionProto { DimParam = symbol }
                : new DimensionProto { DimValue = Convert.ToInt64(dimension, CultureInfo.InvariantCulture) });
        }

        TensorTypeProto tensor = new() { ElemType = type, Shape = shape };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}

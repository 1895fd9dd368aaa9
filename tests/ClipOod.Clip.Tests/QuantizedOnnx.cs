using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using ClipOod.Autodiff.Onnx;
using Google.Protobuf;

namespace ClipOod.Clip.Tests;

/// <summary>Quantises an exported model to 8 bits, in the forms that published exports have.</summary>
internal static class QuantizedOnnx
{
    /// <summary>Weights in 8 bits, turned into floats before they are used.</summary>
    public static byte[] WeightsOnly(byte[] bytes)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(bytes);
        GraphProto graph = model.Graph;
        foreach (TensorProto weight in Weights(graph).ToArray())
        {
            graph.Initializer.Remove(weight);
            (TensorProto values, TensorProto scale) = Quantize(graph, weight, transposed: false);
            graph.Node.Insert(0, Node("DequantizeLinear", [values.Name, scale.Name], weight.Name));
        }

        return model.ToByteArray();
    }

    /// <summary>Products of 8-bit weights with inputs that are quantised as they come.</summary>
    public static byte[] Dynamic(byte[] bytes)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(bytes);
        GraphProto graph = model.Graph;
        Dictionary<string, TensorProto> weights = Weights(graph).ToDictionary(weight => weight.Name);
        NodeProto[] nodes = [.. graph.Node];
        graph.Node.Clear();
        foreach (NodeProto node in nodes)
        {
            if (node.OpType != "Gemm" || !weights.TryGetValue(node.Input[1], out TensorProto? weight))
            {
                graph.Node.Add(node);
                continue;
            }

            graph.Initializer.Remove(weight);
            string own(string what) => $"{node.Output[0]}.{what}";
            (TensorProto values, TensorProto scale) = Quantize(graph, weight, transposed: node.Attribute.Single(a => a.Name == "transB").I == 1);
            bool hasBias = node.Input.Count == 3;
            graph.Node.Add(Node("DynamicQuantizeLinear", [node.Input[0]], own("input"), own("scale"), own("zero")));
            graph.Node.Add(Node("MatMulInteger", [own("input"), values.Name, own("zero")], own("product")));
            graph.Node.Add(Cast(own("product"), own("number")));
            graph.Node.Add(Node("Mul", [own("scale"), scale.Name], own("scales")));
            graph.Node.Add(Node("Mul", [own("number"), own("scales")], hasBias ? own("linear") : node.Output[0]));
            if (hasBias)
            {
                graph.Node.Add(Node("Add", [own("linear"), node.Input[2]], node.Output[0]));
            }
        }

        return model.ToByteArray();
    }

    private static IEnumerable<TensorProto> Weights(GraphProto graph) =>
        graph.Initializer.Where(t => t.DataType == (int)ElementType.Float && t.Dims.Count == 2 && t.Dims.All(size => size > 1));

    /// <summary>Adds a weight in signed 8 bits with a single scale, symmetric about 0.</summary>
    private static (TensorProto Values, TensorProto Scale) Quantize(GraphProto graph, TensorProto weight, bool transposed)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(weight.RawData.Span).ToArray();
        (int rows, int columns) = ((int)weight.Dims[0], (int)weight.Dims[1]);
        float scale = values.Max(MathF.Abs) / 127;
        byte[] rounded = [.. Enumerable.Range(0, values.Length)
            .Select(i => transposed ? values[(i % rows * columns) + (i / rows)] : values[i])
            .Select(v => (byte)(sbyte)MathF.Round(v / scale))];
        string name = $"{weight.Name}.{graph.Initializer.Count}";
        TensorProto whole = new() { Name = name, DataType = (int)ElementType.Int8, RawData = ByteString.CopyFrom(rounded) };
        whole.Dims.Add(transposed ? [columns, rows] : [rows, columns]);
        TensorProto one = new()
        {
            Name = $"{name}.scale",
            DataType = (int)ElementType.Float,
            RawData = ByteString.CopyFrom(BitConverter.GetBytes(scale)),
        };
        graph.Initializer.Add([whole, one]);
        return (whole, one);
    }

    private static NodeProto Node(string operation, string[] inputs, params string[] outputs)
    {
        NodeProto node = new() { OpType = operation, Name = outputs[0] };
        node.Input.Add(inputs);
        node.Output.Add(outputs);
        return node;
    }

    private static NodeProto Cast(string input, string output)
    {
        NodeProto node = Node("Cast", [input], output);
        node.Attribute.Add(new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (int)ElementType.Float });
        return node;
    }
}

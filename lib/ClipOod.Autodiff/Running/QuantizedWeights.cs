using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using ClipOod.Autodiff.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>Rows of a weight as 8-bit codes, symmetric with a scale for each, and the ONNX nodes of a linear layer with them.</summary>
/// <remarks>
/// With x ≈ s·(q − 128) for each row of the input and w ≈ t·c for each output, x·w + b ≈ (q − 128)·c · t · s + b: ONNX's QuantizeLinear and
/// MatMulInteger, which sums exactly in 32 bits.
/// </remarks>
internal sealed class QuantizedWeights
{
    private const string ZeroPoint = "quantized_zero_point";
    private const string Range = "quantized_range";
    private const string Smallest = "quantized_smallest";
    private const string One = "quantized_one";

    private const byte InputZeroPoint = 128;
    private const float InputRange = 127;
    private const float SmallestRange = 1e-30f;

    /// <summary>Quantises the present values.</summary>
    /// <param name="weight">Shape (N, K), in single precision.</param>
    /// <param name="from">The first row.</param>
    /// <param name="to">The row after the last.</param>
    public QuantizedWeights(Weight weight, int from, int to)
    {
        int rows = to - from, width = (int)weight.Shape[1].Size;
        string name = FormattableString.Invariant($"{weight.Name}[{from}..{to}]");
        OrtValue values = weight.Current;
        sbyte[] codes = new sbyte[rows * width];
        float[] scales = new float[rows];

        // Columns of codes are outputs; blocks of them keep writes near each other.
        const int Block = 64;
        Parallel.For(0, (rows + Block - 1) / Block, block =>
        {
            ReadOnlySpan<float> all = values.GetTensorDataAsSpan<float>();
            int first = block * Block, last = Math.Min(rows, first + Block);
            for (int row = first; row < last; row++)
            {
                scales[row] = Math.Max(MathF.Abs(TensorPrimitives.MaxMagnitude(all.Slice((from + row) * width, width))), SmallestRange) / WeightRange;
            }

            for (int column = 0; column < width; column++)
            {
                for (int row = first; row < last; row++)
                {
                    codes[(column * rows) + row] = (sbyte)MathF.Round(all[((from + row) * width) + column] / scales[row]);
                }
            }
        });
        Values = [($"{name}_codes", Engine.Tensor<sbyte>(codes, width, rows)), ($"{name}_scales", Engine.Tensor<float>(scales, rows))];
    }

    /// <summary>
    /// Whether this processor sums products of bytes in 32 bits. Without (x86 before VNNI) pairs are summed in 16, which codes of 8 bits
    /// exceed: weights then have 7.
    /// </summary>
    public static bool HasWideSums { get; } = !X86Base.IsSupported || CpuHasVnni();

    /// <summary>Codes and scales by name.</summary>
    public IReadOnlyList<(string Name, OrtValue Value)> Values { get; }

    private static int WeightRange => HasWideSums ? 127 : 63;

    /// <summary>Codes and scales as constants whose values ONNX Runtime is given apart from the model.</summary>
    public IEnumerable<TensorProto> ToExternalProtos() =>
        from entry in Values
        let info = entry.Value.GetTensorTypeAndShape()
        select Graph.ToExternalProto(entry.Name, (ElementType)info.ElementDataType, info.Shape);

    /// <summary>What a quantised node still takes: the input, and the bias where it has one.</summary>
    public static IEnumerable<Tensor> InputsOf(Node node) => node.Inputs.Where((_, i) => i != 1);

    /// <summary>The constants that the nodes share.</summary>
    public static IEnumerable<TensorProto> Constants() =>
    [
        Constant(ZeroPoint, ElementType.UInt8, [InputZeroPoint]),
        Constant(Range, ElementType.Float, BitConverter.GetBytes(InputRange)),
        Constant(Smallest, ElementType.Float, BitConverter.GetBytes(SmallestRange)),
        Constant(One, ElementType.Float, BitConverter.GetBytes(1f)),
    ];

    /// <summary>The nodes that take the place of a linear layer's.</summary>
    public IEnumerable<NodeProto> ToProto(Node node)
    {
        string x = node.Inputs[0].Name, y = node.Outputs[0].Name;
        bool hasBias = node.Inputs.Count > 2;

        // The scale of a row is its largest magnitude over 127; a row of zeros gets a tiny one.
        yield return New("Abs", [x], $"{y}_magnitudes");
        yield return New("ReduceMax", [$"{y}_magnitudes"], $"{y}_largest", ("axes", new long[] { 1 }), ("keepdims", 1));
        yield return New("Max", [$"{y}_largest", Smallest], $"{y}_range");
        yield return New("Div", [$"{y}_range", Range], $"{y}_scales");
        yield return New("Div", [x, $"{y}_scales"], $"{y}_scaled");
        yield return New("QuantizeLinear", [$"{y}_scaled", One, ZeroPoint], $"{y}_codes");
        yield return New("MatMulInteger", [$"{y}_codes", Values[0].Name, ZeroPoint], $"{y}_sums");
        yield return New("Cast", [$"{y}_sums"], $"{y}_numbers", ("to", (int)ElementType.Float));
        yield return New("Mul", [$"{y}_numbers", Values[1].Name], $"{y}_outputs");
        yield return New("Mul", [$"{y}_outputs", $"{y}_scales"], hasBias ? $"{y}_product" : y);
        if (hasBias)
        {
            yield return New("Add", [$"{y}_product", node.Inputs[2].Name], y);
        }
    }

    private static NodeProto New(string operation, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        NodeProto proto = new() { OpType = operation, Name = output, Input = { inputs }, Output = { output } };
        proto.Attribute.Add(attributes.Select(attribute => Graph.ToProto(attribute.Name, attribute.Value)));
        return proto;
    }

    private static TensorProto Constant(string name, ElementType type, byte[] bytes) => new() { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };

    // AVX512-VNNI or AVX-VNNI (Intel's manual, CPUID leaf 7).
    private static bool CpuHasVnni() => X86Base.CpuId(0, 0).Eax >= 7 && ((X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0 || (X86Base.CpuId(7, 1).Eax & (1 << 4)) != 0);
}

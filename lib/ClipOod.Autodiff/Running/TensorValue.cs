using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ClipOod.Autodiff;

/// <summary>The values of a tensor, row-major.</summary>
public sealed class TensorValue
{
    private readonly Array _values;

    private TensorValue(Array values, long[] shape) => (_values, Shape) = (values, shape);

    /// <summary>Type of the elements.</summary>
    public ElementType Type => ElementTypes.Of(_values.GetType().GetElementType()!);

    /// <summary>The sizes.</summary>
    public long[] Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count => _values.Length;

    /// <summary>The values as bytes.</summary>
    internal ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(
        ref MemoryMarshal.GetArrayDataReference(_values), checked(_values.Length * Type.SizeOf()));

    /// <summary>Values in a shape; the array is kept, not copied.</summary>
    /// <param name="values">float, double, long, int, byte or bool.</param>
    /// <param name="shape">Sizes; none for a scalar.</param>
    /// <exception cref="ArgumentException">The number of values is not that of the shape, or their type is none of those.</exception>
    public static TensorValue Of<T>(T[] values, params long[] shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        _ = ElementTypes.Of(typeof(T));
        return shape.Aggregate(1L, (product, size) => product * size) == values.Length
            ? new TensorValue(values, shape)
            : throw new ArgumentException($"Got {values.Length} values for shape ({string.Join(", ", shape)}).", nameof(values));
    }

    /// <summary>The values; changes to the array change this object.</summary>
    /// <typeparam name="T">The .NET type of <see cref="Type"/>.</typeparam>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    public T[] Values<T>()
        where T : unmanaged => _values as T[]
            ?? throw new InvalidCastException($"The values are {Type}, not {typeof(T).Name}.");

    /// <summary>The value of a single element.</summary>
    /// <exception cref="InvalidOperationException">There is not exactly one.</exception>
    public double ToDouble() => _values.Length == 1
        ? Convert.ToDouble(_values.GetValue(0), CultureInfo.InvariantCulture)
        : throw new InvalidOperationException($"Got {_values.Length} values, expected one.");

    /// <summary>For example "Float (2, 3)".</summary>
    public override string ToString() => $"{Type} ({string.Join(", ", Shape)})";

    /// <summary>The values of an array of any rank, with its shape; a one-dimensional one is kept, others are copied.</summary>
    internal static TensorValue FromArray(Array array)
    {
        if (array.Rank == 1)
        {
            return new TensorValue(array, [array.LongLength]);
        }

        Array values = Array.CreateInstance(array.GetType().GetElementType()!, array.Length);
        Buffer.BlockCopy(array, 0, values, 0, Buffer.ByteLength(array));
        return new TensorValue(values, [.. Enumerable.Range(0, array.Rank).Select(array.GetLongLength)]);
    }

    internal static TensorValue CopyOf(OrtValue value)
    {
        if (value.GetTensorMemoryInfo().GetDeviceType() != OrtMemoryInfoDeviceType.CPU)
        {
            return Program.Fetch(value);
        }

        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        Array values = info.ElementDataType switch
        {
            TensorElementType.Float => value.GetTensorDataAsSpan<float>().ToArray(),
            TensorElementType.Double => value.GetTensorDataAsSpan<double>().ToArray(),
            TensorElementType.Int64 => value.GetTensorDataAsSpan<long>().ToArray(),
            TensorElementType.Int32 => value.GetTensorDataAsSpan<int>().ToArray(),
            TensorElementType.UInt8 => value.GetTensorDataAsSpan<byte>().ToArray(),
            TensorElementType.Bool => value.GetTensorDataAsSpan<bool>().ToArray(),
            TensorElementType other => throw new NotSupportedException($"There are no values of type {other} here."),
        };
        return new TensorValue(values, info.Shape);
    }

    /// <summary>A tensor over the same memory.</summary>
    internal OrtValue ToOrtValue() => _values switch
    {
        float[] values => Engine.Tensor<float>(values, Shape),
        double[] values => Engine.Tensor<double>(values, Shape),
        long[] values => Engine.Tensor<long>(values, Shape),
        int[] values => Engine.Tensor<int>(values, Shape),
        byte[] values => Engine.Tensor<byte>(values, Shape),
        bool[] values => Engine.Tensor<bool>(values, Shape),
        _ => throw new NotSupportedException($"There are no tensors of {_values.GetType().GetElementType()!.Name}."),
    };
}

namespace ClipOod.Autodiff;

#pragma warning disable CA1720 // The names of ONNX's element types are those of .NET's.

/// <summary>The type of a tensor's elements; the values are the codes of the ONNX format.</summary>
public enum ElementType
{
    /// <summary>Single precision.</summary>
    Float = 1,

    /// <summary>8-bit whole numbers, 0 to 255, such as pixels.</summary>
    UInt8 = 2,

    /// <summary>8-bit whole numbers, -128 to 127, such as codes of quantised values.</summary>
    Int8 = 3,

    /// <summary>32-bit whole numbers.</summary>
    Int32 = 6,

    /// <summary>64-bit whole numbers, such as class labels and token numbers.</summary>
    Int64 = 7,

    /// <summary>Truth values, such as conditions.</summary>
    Bool = 9,

    /// <summary>Double precision, in which gradients are checked.</summary>
    Double = 11,
}

#pragma warning restore CA1720

/// <summary>Properties of element types.</summary>
internal static class ElementTypes
{
    public static int SizeOf(this ElementType type) => type switch
    {
        ElementType.UInt8 or ElementType.Int8 or ElementType.Bool => 1,
        ElementType.Float or ElementType.Int32 => 4,
        _ => 8,
    };

    public static bool IsReal(this ElementType type) => type is ElementType.Float or ElementType.Double;

    public static bool IsIndex(this ElementType type) => type is ElementType.Int32 or ElementType.Int64;

    /// <summary>The element type that a .NET type of numbers stands for.</summary>
    public static ElementType Of(Type type) =>
        type == typeof(float) ? ElementType.Float
        : type == typeof(double) ? ElementType.Double
        : type == typeof(long) ? ElementType.Int64
        : type == typeof(int) ? ElementType.Int32
        : type == typeof(byte) ? ElementType.UInt8
        : type == typeof(sbyte) ? ElementType.Int8
        : type == typeof(bool) ? ElementType.Bool
        : throw new ArgumentException($"Tensors hold float, double, long, int, byte, sbyte or bool, not {type.Name}.", nameof(type));
}

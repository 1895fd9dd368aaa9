namespace ClipOod.Autodiff;

/// <summary>
/// Values for an input of a graph. A pair of the input's name and its values converts implicitly, so that calls read
/// <c>trainer.Step(("images", pixels), ("labels", labels))</c>.
/// </summary>
public readonly struct Feed
{
    private Feed(string name, object values) => (Name, Values) = (name, values);

    /// <summary>Name of the input.</summary>
    public string Name { get; }

    // An array, Memory<float> or a TensorValue.
    internal object Values { get; }

    /// <summary>
    /// An array of float, double, long, int, byte or bool. A one-dimensional array is taken row-major in the input's
    /// shape, where at most one symbol may be open; another brings its shape.
    /// </summary>
    public static implicit operator Feed((string Name, Array Values) pair) => new(pair.Name, pair.Values);

    /// <summary>A one-dimensional array of float, taken row-major in the input's shape.</summary>
    public static implicit operator Feed((string Name, float[] Values) pair) => new(pair.Name, pair.Values);

    /// <summary>Single-precision values, row-major in the input's shape.</summary>
    public static implicit operator Feed((string Name, Memory<float> Values) pair) => new(pair.Name, pair.Values);

    /// <summary>Values with their shape.</summary>
    public static implicit operator Feed((string Name, TensorValue Values) pair) => new(pair.Name, pair.Values);
}

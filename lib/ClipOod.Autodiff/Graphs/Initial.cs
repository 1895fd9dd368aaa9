using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>The first values of a weight.</summary>
public abstract class Initial
{
    private Initial()
    {
    }

    /// <summary>All elements equal.</summary>
    public static Initial Constant(double value) => new Generated(() => () => value);

    /// <summary>Normally distributed with mean 0.</summary>
    /// <param name="standardDeviation">Standard deviation, at least 0.</param>
    /// <param name="seed">Seed of the generator: the same seed gives the same values.</param>
    public static Initial Normal(double standardDeviation, int seed) => new Generated(() =>
    {
        Random random = new(seed);

        // Box and Muller's transform; 1 - u lies in (0, 1], where the logarithm is finite.
        return () => standardDeviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble());
    });

    /// <summary>Given single-precision values, row-major; they are used in place and not changed, not copied.</summary>
    public static Initial Values(ReadOnlyMemory<float> values) => new Given<float>(values);

    /// <summary>Given double-precision values, row-major; they are used in place and not changed, not copied.</summary>
    public static Initial Values(ReadOnlyMemory<double> values) => new Given<double>(values);

    /// <summary>
    /// Gives the function that makes values for a weight of this type and shape, so that no random number is drawn
    /// before it is needed; given values are checked at once.
    /// </summary>
    internal abstract Func<OrtValue> For(string name, ElementType type, long[] shape);

    private sealed class Generated(Func<Func<double>> generator) : Initial
    {
        internal override Func<OrtValue> For(string name, ElementType type, long[] shape) => () => Create(type, shape);

        private OrtValue Create(ElementType type, long[] shape)
        {
            long count = shape.Aggregate(1L, (product, size) => product * size);
            Func<double> next = generator();
            if (type == ElementType.Double)
            {
                double[] doubles = new double[count];
                for (int i = 0; i < doubles.Length; i++)
                {
                    doubles[i] = next();
                }

                return Engine.Tensor<double>(doubles, shape);
            }

            float[] singles = new float[count];
            for (int i = 0; i < singles.Length; i++)
            {
                singles[i] = (float)next();
            }

            return Engine.Tensor<float>(singles, shape);
        }
    }

    private sealed class Given<T>(ReadOnlyMemory<T> values) : Initial
        where T : unmanaged
    {
        internal override Func<OrtValue> For(string name, ElementType type, long[] shape) =>
            type == ElementTypes.Of(typeof(T))
            && values.Length == shape.Aggregate(1L, (product, size) => product * size)
                ? () => Engine.Tensor(MemoryMarshal.AsMemory(values), shape)
                : throw new ArgumentException(
                    $"Weight '{name}' is {type} ({string.Join(", ", shape)}), got {values.Length} values of type {typeof(T).Name}.");
    }
}

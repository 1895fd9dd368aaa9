using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>
/// A weight or bias of a graph: a tensor whose values are kept between runs and can be learned. All evaluators and trainers of its graph
/// share these values: an evaluator sees what a trainer has learned so far.
/// </summary>
public sealed class Weight : Tensor
{
    private readonly Func<OrtValue> _initial;
    private OrtValue? _value;

    // Whether a trainer made the present values, in a buffer that it may write to again.
    private bool _isTrained;

    internal Weight(Graph graph, int id, string name, ElementType type, Shape shape, Func<OrtValue> initial, bool trainable)
        : base(graph, id, name, type, shape, producer: null) => (_initial, Trainable) = (initial, trainable);

    /// <summary>Whether trainers made from now on learn it; a frozen weight gets no gradient and no backward nodes.</summary>
    public bool Trainable { get; set; }

    /// <summary>Number of its elements.</summary>
    public long Count => Shape.Elements.Size;

    /// <summary>A copy of the present values.</summary>
    public TensorValue Value
    {
        get => TensorValue.CopyOf(Current);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Type != Type || !value.Shape.AsSpan().SequenceEqual(Shape.ToSizes()))
            {
                throw new ArgumentException($"Weight '{Name}' is {Type} {Shape}, got {value}.", nameof(value));
            }

            Current = value.ToOrtValue();
        }
    }

    /// <summary>The present values where they lie, made on first use.</summary>
    internal OrtValue Current
    {
        get => _value ??= _initial();
        private set => (_value, _isTrained) = (value, false);
    }

    /// <summary>The present values for good: where they lie, or a copy where a trainer may write to them.</summary>
    internal OrtValue Keep() => _isTrained ? Value.ToOrtValue() : Current;

    /// <summary>Takes values from a trainer, in its buffer.</summary>
    internal void Learn(OrtValue value) => (_value, _isTrained) = (value, true);
}

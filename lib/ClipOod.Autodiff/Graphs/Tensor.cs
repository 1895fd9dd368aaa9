namespace ClipOod.Autodiff;

/// <summary>
/// A tensor of a graph: an input, a weight, a constant, or the result of an operator. It has a shape and an element
/// type but no values until the graph runs.
/// </summary>
public class Tensor
{
    internal Tensor(Graph graph, int id, string name, ElementType type, Shape shape, Node? producer) =>
        (Graph, Id, Name, Type, Shape, Producer) = (graph, id, name, type, shape, producer);

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Its name in the graph, under which it appears in a saved model.</summary>
    public string Name { get; internal set; }

    /// <summary>Type of its elements.</summary>
    public ElementType Type { get; }

    /// <summary>Its dimensions.</summary>
    public Shape Shape { get; }

    /// <summary>The node that computes it; null for inputs, weights and constants.</summary>
    public Node? Producer { get; }

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Rank;

    // Tensors are numbered as they are made, so that a tensor's number is above those of all it is computed from.
    internal int Id { get; }

    /// <summary>How its gradient flows back; null where none does.</summary>
    internal Derivation? Derivation { get; private set; }

    /// <summary>Elementwise sum, with broadcasting.</summary>
    public static Tensor operator +(Tensor left, Tensor right) => Op.Add(left, right);

    /// <summary>Sum with a number.</summary>
    public static Tensor operator +(Tensor left, double right) => Op.Add(left, Like(left, right));

    /// <summary>Elementwise difference, with broadcasting.</summary>
    public static Tensor operator -(Tensor left, Tensor right) => Op.Subtract(left, right);

    /// <summary>Difference from a number.</summary>
    public static Tensor operator -(Tensor left, double right) => Op.Subtract(left, Like(left, right));

    /// <summary>Difference of a number and a tensor.</summary>
    public static Tensor operator -(double left, Tensor right) => Op.Subtract(Like(right, left), right);

    /// <summary>Every element with its sign changed.</summary>
    public static Tensor operator -(Tensor value) => Op.Negate(value);

    /// <summary>Elementwise product, with broadcasting.</summary>
    public static Tensor operator *(Tensor left, Tensor right) => Op.Multiply(left, right);

    /// <summary>Product with a number.</summary>
    public static Tensor operator *(Tensor left, double right) => Op.Multiply(left, Like(left, right));

    /// <summary>Product with a number.</summary>
    public static Tensor operator *(double left, Tensor right) => right * left;

    /// <summary>Elementwise quotient, with broadcasting.</summary>
    public static Tensor operator /(Tensor left, Tensor right) => Op.Divide(left, right);

    /// <summary>Quotient by a number.</summary>
    public static Tensor operator /(Tensor left, double right) => Op.Divide(left, Like(left, right));

    /// <summary>Quotient of a number and a tensor.</summary>
    public static Tensor operator /(double left, Tensor right) => Op.Divide(Like(right, left), right);

    /// <summary>For example "MatMul_3: Float (batch, 10)".</summary>
    public override string ToString() => $"{Name}: {Type} {Shape}";

    /// <summary>
    /// Says how the gradient of this tensor flows back to the tensors it was computed from, one function for each. A
    /// function runs, and so adds nodes, only where that input's gradient is wanted.
    /// </summary>
    internal Tensor Differentiate(params (Tensor Input, Func<Tensor, Tensor> Gradient)[] inputs)
    {
        // An equal tensor made before is the same object and has its derivation already.
        Derivation ??= new Derivation([this], [.. inputs.Select(i => (i.Input, (Func<Tensor?[], Tensor>)(g => i.Gradient(g[0]!))))]);
        return this;
    }

    /// <summary>The same for an operator with several results; the gradient of an unused result is null.</summary>
    internal static void Differentiate(Tensor[] outputs, params (Tensor Input, Func<Tensor?[], Tensor> Gradient)[] inputs)
    {
        Derivation derivation = new(outputs, inputs);
        foreach (Tensor output in outputs)
        {
            output.Derivation ??= derivation;
        }
    }

    private static Tensor Like(Tensor tensor, double value)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Graph.Constant(value, tensor.Type);
    }
}

/// <summary>How gradients of an operator's results flow back to its inputs.</summary>
internal sealed record Derivation(Tensor[] Outputs, (Tensor Input, Func<Tensor?[], Tensor> Gradient)[] Inputs);

namespace ClipOod.Autodiff;

/// <content>Operators on single elements, with broadcasting where they take two tensors.</content>
public static partial class Op
{
    /// <summary>a + b.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Add(Tensor a, Tensor b) =>
        Combine("Add", a, b).Differentiate((a, g => SumTo(g, a.Shape)), (b, g => SumTo(g, b.Shape)));

    /// <summary>a − b.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Subtract(Tensor a, Tensor b) =>
        Combine("Sub", a, b).Differentiate((a, g => SumTo(g, a.Shape)), (b, g => -SumTo(g, b.Shape)));

    /// <summary>a · b, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Multiply(Tensor a, Tensor b) =>
        Combine("Mul", a, b).Differentiate((a, g => SumTo(g * b, a.Shape)), (b, g => SumTo(g * a, b.Shape)));

    /// <summary>a / b, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Divide(Tensor a, Tensor b)
    {
        Tensor y = Combine("Div", a, b);
        return y.Differentiate((a, g => SumTo(g / b, a.Shape)), (b, g => -SumTo(g * y / b, b.Shape)));
    }

    /// <summary>−x.</summary>
    public static Tensor Negate(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Emit("Neg", [x], x.Type, x.Shape).Differentiate((x, g => -g));
    }

    /// <summary>eˣ.</summary>
    public static Tensor Exp(this Tensor x)
    {
        Tensor y = Map("Exp", x);
        return y.Differentiate((x, g => g * y));
    }

    /// <summary>The natural logarithm.</summary>
    public static Tensor Log(this Tensor x) => Map("Log", x).Differentiate((x, g => g / x));

    /// <summary>The square root.</summary>
    public static Tensor Sqrt(this Tensor x)
    {
        Tensor y = Map("Sqrt", x);
        return y.Differentiate((x, g => g / (y * 2)));
    }

    /// <summary>x to a constant power.</summary>
    public static Tensor Pow(this Tensor x, double exponent)
    {
        RequireReal("Pow", x);
        return exponent switch
        {
            1 => x,
            2 => x * x,
            _ => x.Graph.Emit("Pow", [x, x.Graph.Constant(exponent, x.Type)], x.Type, x.Shape)
                .Differentiate((x, g => g * (x.Pow(exponent - 1) * exponent))),
        };
    }

    /// <summary>|x|; its gradient at 0 is 0.</summary>
    public static Tensor Abs(this Tensor x) => Map("Abs", x).Differentiate((x, g => g * x.Sign()));

    /// <summary>−1, 0 or 1; it has no gradient.</summary>
    public static Tensor Sign(this Tensor x) => Map("Sign", x);

    /// <summary>The larger of two elements; where they are equal, the gradient goes to the first.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Maximum(Tensor a, Tensor b) => Choose("Max", a, b, Less);

    /// <summary>The smaller of two elements; where they are equal, the gradient goes to the first.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Minimum(Tensor a, Tensor b) => Choose("Min", a, b, Greater);

    /// <summary>x held within [<paramref name="low"/>, <paramref name="high"/>]; outside, the gradient is 0.</summary>
    /// <exception cref="ArgumentException"><paramref name="low"/> is above <paramref name="high"/>.</exception>
    public static Tensor Clamp(this Tensor x, double low, double high)
    {
        RequireReal("Clamp", x);
        if (!(low <= high))
        {
            throw Error("Clamp", FormattableString.Invariant($"the lower bound {low} is above the upper bound {high}."));
        }

        Graph graph = x.Graph;
        Tensor y = graph.Emit("Clip", [x, graph.Constant(low, x.Type), graph.Constant(high, x.Type)], x.Type, x.Shape);
        return y.Differentiate((x, g => g * Equal(x, y).Cast(g.Type)));
    }

    /// <summary>Elements of <paramref name="a"/> where the condition holds and of <paramref name="b"/> elsewhere, with broadcasting.</summary>
    /// <exception cref="ArgumentException">The condition is not of type Bool, the shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Where(Tensor condition, Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(condition);
        RequireSameType("Where", a, b);
        if (condition.Type != ElementType.Bool)
        {
            throw Error("Where", $"the condition is {condition}, expected Bool.");
        }

        Shape shape = Broadcast("Where", condition.Shape, Broadcast("Where", a.Shape, b.Shape));
        return a.Graph.Emit("Where", [condition, a, b], a.Type, shape).Differentiate(
            (a, g => SumTo(Where(condition, g, Zero(g)), a.Shape)),
            (b, g => SumTo(Where(condition, Zero(g), g), b.Shape)));
    }

    /// <summary>Where a &gt; b.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Greater(Tensor a, Tensor b) => Combine("Greater", a, b, ElementType.Bool);

    /// <summary>Where a &lt; b.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Less(Tensor a, Tensor b) => Combine("Less", a, b, ElementType.Bool);

    /// <summary>Where a = b.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the element types differ.</exception>
    public static Tensor Equal(Tensor a, Tensor b) => Combine("Equal", a, b, ElementType.Bool);

    /// <summary>The elements as another type; gradients flow between Float and Double.</summary>
    public static Tensor Cast(this Tensor x, ElementType type)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Type == type)
        {
            return x;
        }

        Tensor y = x.Graph.Emit("Cast", [x], type, x.Shape, ("to", (int)type));
        return x.Type.IsReal() && type.IsReal() ? y.Differentiate((x, g => g.Cast(x.Type))) : y;
    }

    private static Tensor Choose(string operation, Tensor a, Tensor b, Func<Tensor, Tensor, Tensor> second) =>
        Combine(operation, a, b).Differentiate(
            (a, g => SumTo(g * (1 - second(a, b).Cast(g.Type)), a.Shape)),
            (b, g => SumTo(g * second(a, b).Cast(g.Type), b.Shape)));

    private static Tensor Zero(Tensor like) => like.Graph.Constant(0, like.Type);
}

namespace ClipOod.Autodiff;

/// <content>Normalisations and dropout.</content>
public static partial class Op
{
    /// <summary>
    /// Layer normalisation over the last axis (Ba, Kiros and Hinton 2016): (x − mean) / √(variance + ε) · scale + bias.
    /// </summary>
    /// <param name="x">Shape (..., D).</param>
    /// <param name="scale">Shape (D).</param>
    /// <param name="bias">Shape (D).</param>
    /// <param name="epsilon">Added to the variance; CLIP's is 1e-5.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or the element types differ.</exception>
    public static Tensor LayerNorm(Tensor x, Tensor scale, Tensor bias, double epsilon = 1e-5)
    {
        RequireReal("LayerNorm", x);
        RequireSameType("LayerNorm", x, scale);
        RequireSameType("LayerNorm", x, bias);
        if (x.Rank < 1 || !scale.Shape.Equals(new Shape(x.Shape[-1])) || !bias.Shape.Equals(scale.Shape))
        {
            throw Error("LayerNorm", $"input {x.Shape}, scale {scale.Shape} and bias {bias.Shape} do not fit: expected (..., D), (D) and (D).");
        }

        (Tensor y, Tensor mean, Tensor inverse) = x.Type == ElementType.Float
            ? LayerNormOfFloat(x, scale, bias, epsilon)
            : LayerNormOfDouble(x, scale, bias, epsilon);
        return y.Differentiate(
            (x, backward),
            (scale, g => SumTo(g * normalized(), scale.Shape)),
            (bias, g => SumTo(g, bias.Shape)));

        Tensor normalized() => (x - mean) * inverse;

        Tensor backward(Tensor g)
        {
            Tensor scaled = g * scale;
            Tensor hat = normalized();
            return inverse * (scaled - scaled.Mean([-1], keepDims: true) - (hat * (scaled * hat).Mean([-1], keepDims: true)));
        }
    }

    private static (Tensor Result, Tensor Mean, Tensor Inverse) LayerNormOfFloat(Tensor x, Tensor scale, Tensor bias, double epsilon)
    {
        Shape rows = x.Shape.With(x.Rank - 1, 1);
        Tensor[] outputs = x.Graph.Emit(
            "LayerNormalization",
            [x, scale, bias],
            [(x.Type, x.Shape), (x.Type, rows), (x.Type, rows)],
            ("axis", -1),
            ("epsilon", (float)epsilon));
        (Tensor mean, Tensor inverse) = (outputs[1], outputs[2]);
        Tensor count = Count(x.Graph, x.Type, x.Shape[-1]);

        // For second derivatives.
        mean.Differentiate((x, g => (g / count).BroadcastTo([.. x.Shape])));
        inverse.Differentiate((x, g => -(g / count) * inverse.Pow(3) * (x - mean)));
        return (outputs[0], mean, inverse);
    }

    // ONNX's operator gives mean and inverse deviation in single precision only.
    private static (Tensor Result, Tensor Mean, Tensor Inverse) LayerNormOfDouble(Tensor x, Tensor scale, Tensor bias, double epsilon)
    {
        Tensor mean = x.Mean([-1], keepDims: true);
        Tensor centred = x - mean;
        Tensor inverse = 1 / ((centred * centred).Mean([-1], keepDims: true) + epsilon).Sqrt();
        return (x.Graph.EmitNew("Add", [centred * inverse * scale, bias], x.Type, x.Shape), mean, inverse);
    }

    /// <summary>x / max(‖x‖, ε) along an axis.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="axis">The axis along which the norm is taken.</param>
    /// <param name="epsilon">Least norm, so that zeros stay zeros.</param>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor L2Normalize(this Tensor x, int axis = -1, double epsilon = 1e-12)
    {
        RequireReal("L2Normalize", x);
        int along = Axis("L2Normalize", x, axis);
        Tensor norm = Maximum((x * x).Sum([along], keepDims: true).Sqrt(), x.Graph.Constant(epsilon, x.Type));
        Tensor y = x.Graph.EmitNew("Div", [x, norm], x.Type, x.Shape);
        return y.Differentiate((x, g => (g - (y * (g * y).Sum([along], keepDims: true))) / norm));
    }

    /// <summary>
    /// Dropout (Srivastava et al. 2014): in training, elements become 0 with probability <paramref name="rate"/> and
    /// the others are divided by 1 − rate; elsewhere nothing happens.
    /// </summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="rate">Probability, in [0, 1).</param>
    /// <param name="seed">Seed of the masks: a new trainer with the same seed draws the same sequence of them.</param>
    /// <exception cref="ArgumentException">The rate is outside [0, 1).</exception>
    public static Tensor Dropout(this Tensor x, double rate, int seed)
    {
        RequireReal("Dropout", x);
        if (!(rate >= 0 && rate < 1))
        {
            throw Error("Dropout", FormattableString.Invariant($"rate {rate} is outside [0, 1)."));
        }

        if (rate == 0)
        {
            return x;
        }

        Graph graph = x.Graph;
        Tensor training = graph.TrainingMode();
        Tensor[] outputs = graph.EmitNew(
            "Dropout",
            [x, graph.Constant(rate, x.Type), training],
            [(x.Type, x.Shape), (ElementType.Bool, x.Shape)],
            ("seed", seed));
        return outputs[0].Differentiate((x, backward));

        Tensor backward(Tensor g)
        {
            Tensor scale = Where(training, graph.Constant(1 / (1 - rate), x.Type), graph.Constant(1, x.Type));
            return g * (outputs[1].Cast(g.Type) * scale);
        }
    }
}

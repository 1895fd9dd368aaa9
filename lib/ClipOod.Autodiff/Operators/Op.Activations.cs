namespace ClipOod.Autodiff;

/// <content>Activation functions.</content>
public static partial class Op
{
    private const double SlopeOfQuickGelu = 1.702;

    /// <summary>The logistic function 1 / (1 + e⁻ˣ).</summary>
    public static Tensor Sigmoid(this Tensor x)
    {
        Tensor y = Map("Sigmoid", x);
        return y.Differentiate((x, g => g * y * (1 - y)));
    }

    /// <summary>log(1 + eˣ), for any x without overflow.</summary>
    public static Tensor Softplus(this Tensor x)
    {
        RequireReal("Softplus", x);

        // ONNX Runtime's own operator has no double precision.
        Tensor y = x.Type == ElementType.Float
            ? Map("Softplus", x)
            : Maximum(x, Zero(x)) + ((-x.Abs()).Exp() + 1).Log();
        return x.Type == ElementType.Float ? y.Differentiate((x, g => g * x.Sigmoid())) : y;
    }

    /// <summary>The error function.</summary>
    public static Tensor Erf(this Tensor x)
    {
        RequireReal("Erf", x);
        Tensor y = x.Type == ElementType.Float ? Map("Erf", x) : ErfOfDouble(x);
        return y.Differentiate((x, g => g * ((-(x * x)).Exp() * (2 / Math.Sqrt(Math.PI)))));
    }

    /// <summary>GELU, exact: x Φ(x), where Φ is the standard normal distribution (Hendrycks and Gimpel 2016).</summary>
    public static Tensor Gelu(this Tensor x)
    {
        RequireReal("Gelu", x);

        // In this order ONNX Runtime makes one node of it where no gradient is wanted.
        Tensor twice = (x / Math.Sqrt(2)).Erf() + 1;
        Tensor y = x.Graph.EmitNew("Mul", [x * twice, x.Graph.Constant(0.5, x.Type)], x.Type, x.Shape);
        Tensor density() => (x * x * -0.5).Exp() * (1 / Math.Sqrt(Math.Tau));
        return y.Differentiate((x, g => g * ((twice * 0.5) + (x * density()))));
    }

    /// <summary>QuickGELU, the activation of OpenAI's CLIP: x σ(1.702 x).</summary>
    public static Tensor QuickGelu(this Tensor x)
    {
        RequireReal("QuickGelu", x);
        Tensor gate = (x * SlopeOfQuickGelu).Sigmoid();
        Tensor y = x.Graph.EmitNew("Mul", [x, gate], x.Type, x.Shape);
        return y.Differentiate((x, g => g * (gate + (y * (1 - gate) * SlopeOfQuickGelu))));
    }

    /// <summary>
    /// ONNX Runtime's Erf has single precision only. In double, erf x = 2/√π x e^(−x²) Σ (2x²)ⁿ / (2n+1)!!, a sum of
    /// positive terms without cancellation; 150 of them reach full precision up to |x| = 6, beyond which erf is ±1 in
    /// double precision.
    /// </summary>
    private static Tensor ErfOfDouble(Tensor x)
    {
        const int Terms = 150;
        double[] powers = [.. Enumerable.Range(0, Terms).Select(n => (double)n)];
        double[] coefficients = new double[Terms];
        coefficients[0] = 2 / Math.Sqrt(Math.PI);
        for (int n = 1; n < Terms; n++)
        {
            coefficients[n] = coefficients[n - 1] / ((2 * n) + 1);
        }

        Graph graph = x.Graph;
        Tensor held = x.Clamp(-6, 6);
        Tensor square = held * held;
        Tensor base2 = (square * 2).Unsqueeze(x.Rank);
        Tensor exponents = graph.Constant<double>(powers, Terms);
        Tensor terms = graph.Emit("Pow", [base2, exponents], x.Type, Broadcast("Erf", base2.Shape, exponents.Shape));
        Tensor sum = (terms * graph.Constant<double>(coefficients, Terms)).Sum([-1]);
        return graph.EmitNew("Mul", [held * (-square).Exp(), sum], x.Type, x.Shape);
    }
}

using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ClipnTests
{
    private static readonly Golden _expected = Golden.Get("clipn_inference", "expected");
    private static readonly Matrix _yes = Golden.Get("clipn_inference", "inputs", "cos_yes").Matrix;
    private static readonly Matrix _no = Golden.Get("clipn_inference", "inputs", "cos_no").Matrix;

    private static readonly Gen<(Matrix Yes, Matrix No)> _cosines =
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 5]).SelectMany((n, k) => Gen.Select(GenMatrix(n, k), GenMatrix(n, k)));

    [Fact]
    public void Probabilities_EqualTheGoldenValues()
    {
        Close(_expected["p"], Clipn.Probabilities(_yes));
        Close(_expected["p_no"], Clipn.NoProbabilities(_yes, _no));
        Close(_expected["shrunk_class_probs"], Clipn.ShrunkProbabilities(_yes, _no));
    }

    [Fact]
    public void Scores_EqualTheGoldenValues()
    {
        Golden.AssertClose(_expected["ctw_id_score"].Numbers, Clipn.Ctw(_yes, _no).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(_expected["atd_id_score"].Numbers, Clipn.Atd(_yes, _no).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(_expected["p_unknown"].Numbers, [.. Clipn.Atd(_yes, _no).Select(score => 1 - score)], Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Decisions_EqualTheGoldenValues()
    {
        Assert.Equal(_expected["ctw_is_ood"].Flags, Clipn.CtwIsOod(_yes, _no));
        Assert.Equal(_expected["atd_is_ood_vs_shrunk_p"].Flags, Clipn.AtdIsOod(_yes, _no));
        Assert.Equal(_expected["atd_is_ood_vs_original_p"].Flags, Clipn.AtdIsOod(_yes, _no, AtdComparison.Original));
    }

    [Fact]
    public void AtdIsOod_ByTheOriginalProbabilities_FiresOnlyWhereTheShrunkOnesDo() => _cosines.Sample(cosines =>
    {
        bool[] shrunk = Clipn.AtdIsOod(cosines.Yes, cosines.No);
        bool[] original = Clipn.AtdIsOod(cosines.Yes, cosines.No, AtdComparison.Original);
        Assert.All(original.Zip(shrunk), pair => Assert.True(pair.Second || !pair.First));
    });

    [Fact]
    public void Scores_WhenYesAndNoAreTheSame_AreHalf() => _cosines.Sample(cosines =>
    {
        Assert.All(Clipn.Ctw(cosines.Yes, cosines.Yes), score => Assert.Equal(0.5, score));
        Assert.All(Clipn.Atd(cosines.Yes, cosines.Yes), score => Assert.Equal(0.5, score, 1e-12));
    });

    [Fact]
    public void Scores_WhenEveryNoFitsWorse_RiseOverHalf() => _cosines.Sample(cosines =>
    {
        Matrix far = new(cosines.Yes.Rows, cosines.Yes.Columns, cosines.Yes.Values.ToArray().Select(value => Math.Max(-1, value - 0.01)).ToArray());
        Assert.All(Clipn.Ctw(cosines.Yes, far), score => Assert.True(score >= 0.5));
        Assert.All(Clipn.Atd(cosines.Yes, far), score => Assert.True(score >= 0.5 - 1e-12));
    });

    [Fact]
    public void Ctw_WhenTwoClassesTie_TakesTheFirst() =>
        Assert.True(Clipn.Ctw(Matrix.FromRows([0.3, 0.3]), Matrix.FromRows([0.2, 0.4]))[0] > 0.99);

    [Fact]
    public void Atd_OfLogits_SaysThatItTakesCosines()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Clipn.Atd(_yes.Scale(100), _no.Scale(100)));
        Assert.Contains("expected cosines in [-1, 1]", error.Message, StringComparison.Ordinal);
        Assert.Equal("yesCosines", error.ParamName);
    }

    [Fact]
    public void Ctw_OfOtherClasses_SaysBothShapes()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Clipn.Ctw(_yes, Matrix.FromRows([0.1, 0.2])));
        Assert.Contains("(1, 2), expected (4, 3)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Atd_WithAWrongScale_Throws(double scale) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Clipn.Atd(_yes, _no, scale));

    private static Gen<Matrix> GenMatrix(int rows, int columns) => Gen.Double[-1, 1].Array[rows * columns].Select(values => new Matrix(rows, columns, values));

    private static void Close(Golden expected, Matrix actual) =>
        Golden.AssertClose(expected.Matrix.Values.ToArray(), actual.Values.ToArray(), Golden.ToleranceOfDoubles);
}

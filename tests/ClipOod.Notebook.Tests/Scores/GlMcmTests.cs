namespace ClipOod.Notebook.Tests;

public sealed class GlMcmTests
{
    private static readonly Golden _golden = Golden.Get("glmcm");
    private static readonly Matrix _global = _golden["inputs", "cos_global"].Matrix;
    private static readonly Matrix _local = Matrix.FromRows([.. _golden["inputs", "cos_local"].Items.SelectMany(image => image.Rows)]);

    [Fact]
    public void Score_EqualsTheGoldenScores()
    {
        Golden.AssertClose(_golden["expected", "score"].Numbers, GlMcm.Score(_global, _local).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(_golden["expected", "local_part"].Numbers, GlMcm.Local(_local, images: 2).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(_golden["expected", "global_part"].Numbers, GlMcm.Score(_global, _local, lambda: 0).ToArray(), Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Score_WherePatchesAreMissing_SaysHowMany()
    {
        Matrix seven = Matrix.FromRows([.. Enumerable.Range(0, 7).Select(i => _local[i].ToArray())]);
        Assert.Contains(
            "7 patches of 2 images", Assert.Throws<ArgumentException>(() => GlMcm.Score(_global, seven)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GlMcm.Score(_global, Matrix.FromRows([0.1, 0.2], [0.1, 0.2])));
        Assert.Throws<ArgumentException>(() => GlMcm.Score(_global, _local.Scale(100)));
        Assert.Throws<ArgumentOutOfRangeException>(() => GlMcm.Score(_global, _local, lambda: -1));
    }

    [Fact]
    public void Score_OfNoImages_IsEmpty() => Assert.Empty(GlMcm.Score(new Matrix(0, 3, default), new Matrix(0, 3, default)));
}

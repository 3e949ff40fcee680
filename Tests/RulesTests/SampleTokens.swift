/// Tokens of every algorithm that say "May keep a secret", made with another implementation, with the keys that open them.
enum SampleTokens {
  struct Case: Sendable {
    let algorithm: String
    let encryption: String
    let token: String
    let key: String
  }

  private static let rsa =
    """
    {"n":"k87HLpU8nq8SxY_dpwLkcRXkBNySirhpoqH5WJKv8WEHkjrdgnwD-Ap96avwi3GLMi2R0UOK1vklu3S7VllCXZNPUX\
    YbgPHsqk88ViIb6ZGHmlstNYtO56Tscfgt7thHI_rBp5xW1U1p5kdJbILHbYnZeE6KjyzytG2foUycufipzeSNaI0EJvFXeR\
    -QQHGGKTB4FcXxbZU7UcgzCU4SkyXO4i2CLVMuyT8hf_C_CM_L7GqrHn7VpbpaOTSnew4d09ferNr-ey9ayawxiGWCtkA4XH\
    kJBFo86ybFyhnaqPXbn1Ur1VBddDOUX7a2y_6cabS59BaSk_5ZhJZi8ctWYQ","e":"AQAB","d":"A_JK8Nb3keMUdLrvzP\
    RE-4dSmcChQbFFJ3GnXIfkyQ9Gqk8GYrlYn8hOmVfHvz65Bo4fQmpJFuP7Gm4LocrAp1_2B7Odbgwc6LqJ3rY1bunoUs-UEv\
    BqcGvqYOv39KnIqHtwV-nS4F9wmunqBMrZyUvGHIdi_V9SsaJAV12vd5Wo2uI9L8aZxzTOI0zwJoNJXucsVo2Ov--44VwXFp\
    AH5xtzOorBgpc8dwm6wIn2hqo0Z9cjYr3WasevZndxQjLx4bdhUaY_msga0uCLsQ42RTR615nLc_ICS0O136fqvv2Efs6eh0\
    DwUVlDF4mraqwartY3Pk9izaGadSoFeRxQAw","p":"0EtuCOLImbPa99cHox_wAP9bLxo6X6bAqIMMHjplXcQl65M9iwAmf\
    tkGbPbilqYaYVxuZgjF3gXvGB9VUWVujGT_U5yNFuC8Pcu0psYygBWr0adRj4sgvIikb1w8xZN6No4FxIOhA0QxRqnCiP0AH\
    yc1vfovJjDqCUnzHeJVdCc","q":"tajtDxDt6IPTlhDITDRc9lji7cfLdUYEg28h1x7eZbBlTC6VQIs1jfsqX8niIu3tgwl\
    iIm3u1MNnKbISSevAeUUctrSWxgXsxTcEv2lilUfJuHP1KfkrUv3tbuF4kIBQ-eX23hvNgQMuTLdH8TDEmaaH8hKiVDh-1La\
    IQeVIzjc","dp":"I5MOavQYoK-oETYndsPIoNL8BtJq79UyCFXBZxRAJcCPXWmbVDclW_rC7y9HScV6sfAwZrrO2HmY-Ty4\
    vJsfQ1kohmYxbpvZapB0_RrSmy-YVclG08ZGRAzuUJqnQnNKpzCgaYy1njIyXEg4El9reuaediDZlqM6BXYc0JjMUXc","dq\
    ":"jBCyr5IrDcNPCf7ooTEimGMSnaoWKtcQtdKjMf3AFoH6qNGmDL0JTu7gzjiX3ry7C_TZMJi4tF3xlgmR5mMa5aYvLIRzW\
    D3LQIhaZce41kcittDZsEJJcFUPlBXO4wO86-GvBbREMHwmX8pVcxdaDuqDGVfax7tDt3kB-GT0TOM","qi":"b5VfehLFCK\
    j5dXtOFs8NH0AuL6lBsmKnDogpsL8QAmTrJte4Srnon1AfsnzYPacQX8g-WX2dvwcuLauVH_hmnWQn-ZyfNQTqd_94R_i8fj\
    ovA6YJ-4roqKph1hpziSyBoSkj8tUY5WmVkKC1a6FVjZkWujloFAB2UNF0DS2tiqA","kty":"RSA"}
    """

  private static let curve256 =
    """
    {"crv":"P-256","x":"6HhXDVpL5YrowowXLIa64YYqnYpNDilwRWraJc4-hDg","y":"ei6RC7kyQlAjr6lLqRg2jeuVAi\
    mUa8zZmBjziRloq3E","d":"AaA_gTs85BU2EUMslnZc306ylYWpqlD7V0et3WJTlUE","kty":"EC"}
    """

  private static let curve521 =
    """
    {"crv":"P-521","x":"AcXQKJmCwvO59Qh8Q9rJPHhC6DuEP9fW06cjXCcS5X6YCO5o52n1uXidb6cRFOzVlE1aIVUOgM79\
    VAkRRjbxHxiY","y":"AK4L2gvroy7RvvjuxNVO4Rj82b2cK2jCuJwOjqFBXmvHKZNBT-3ZX0vdp1jhwVN4te87wDrFJZyxV\
    OtyhgnLgSy1","d":"AXRPHLWYrCIZBVeM-OdC9nlTcpbH5O73cORD-UmrhdlRp2MD0QgZ6f1PWAn7qtnlaEZWgi-l2TTSqs\
    XNhvL9Svoz","kty":"EC"}
    """

  private static let curve384 =
    """
    {"crv":"P-384","x":"XbxgGonKhqREfoTjUiTXYeMrj8Uk7_sEVBel6o68FsUbBIkro4FHWySpcvl6Zw7B","y":"SMZno\
    44h1AGqEYnA2ZogR6Hv-h_eM77d2RGcT7nUZOfPWGZS1pjbpIpLG6BO3lQr","d":"lr8iCD9zbzblCAf4vc9lCOJ3yKddMc\
    L-pF4Duyas1rDN3hLroAFsKUlSKN94b3nW","kty":"EC"}
    """

  static let all: [Case] = [
    Case(
      algorithm: "RSA1_5", encryption: "A128CBC-HS256",
      token:
        """
        eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.TAPDwYTx9V2WbcmwXu14907YeaEx3Cc99F0bLYvnduQT\
        smwNcmV4SgqKY8AXD5st-3E57HcvvUxzy_lFgqlk7guiM4VD8mlDSFK-w1LTs7B_uQKol2nCjypfFi_esR4-ML7UYR59_wix\
        iOIGNozYkaXmmVBox8qfA1tOVBYotoKqiI6muk79yGMgo2rjMcljBwpYwJC_W3AsAL9DLAHP1kRG4cZgq1vQPuwSZTdVKHxm\
        vT15_13UcOh8s03NWLqGMF420q6hwfhQjKQYUzDdR4MB202ZrmWE3FvmJFjG-UU-FmmU6yTKZhA4hzryA1K6ia7d6nRaZqoa\
        -DYBfvD56A.xMG81QFlBlHFsUs9eslQkA.dNkHu1RKZiE-eoJMXamO8-f38OEn7nSsaeMnNZewYyE.y8aOVX-OxAHAOf3l45\
        ZHtQ
        """,
      key: rsa),
    Case(
      algorithm: "RSA-OAEP", encryption: "A192CBC-HS384",
      token:
        """
        eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExOTJDQkMtSFMzODQifQ.GXaP64qUrERKMUh6KLVBBPMHi-Y0FbngxRZKw6ltM\
        D9L8U8AbTBzJKO7qBykUxfjRg8q-qtA_AjMeoSoXBzZBYuna2t643I7LMUafiqGzYrmbIC5r4JQMm3VonyNooWIkoX4I6JwW\
        J7VmWuNtzMGmHOrfvwONLZ_0Oye_R2ldrEg8GqNaz_cWC5yh8Ds2kCz32VMP4OMga2H5aTNmZmiP7FDS22gILfkrUOca847a\
        DsW7QuOlbwAf12LCxcKxIy8OOZ2qtFwyjjqz6sNXLgXHijCLpMPShKJCRvY3I7icEKoTNXuBoYSPFJtjAAvQJf_nGHP_EW91\
        TMQjP7ULdK1FA.ohQ1Ild9caDNT3ivo1LMRA.PsZYYcOeOsfAciVZYUTyleG3xK7MFdWHhCl6MibFVpA.F6p_jloP7RFpcUk\
        IkXqoz2StAcX34Sm_
        """,
      key: rsa),
    Case(
      algorithm: "RSA-OAEP-256", encryption: "A256CBC-HS512",
      token:
        """
        eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0.EnWzgaCL4yksCn-Swj4k8MNv57ixE7WmKyys\
        22zqQeqFCJwL7s-SRolODN8ZtlNDlxuNRckUVRPkzhXUKC0ghV42gEp-DwjsrI3DUSOp89eIfdBGCkjoqC6zraRkK42srupD\
        8K5WmbWhtatUiwfIgxm-0r8HW4yjfFsv7A9ygyZ0g1fd-qv8gcGQwEIK4KZjEZMivgDvARrNTjla8Bzuo8_RQGOT4wcau_60\
        mZ5lg9C9mKiJTanei_nAiW821uyBk5DMMsPIVOUJOB0qBvGtKlR3Rm9ywJDWL7BeiN924eAPv2tynhJf9mFmXdFI16ZMQd9v\
        2277XYQfZt-W8eQG1A.Wqn4iLSwWDxupw75iu8Owg.ZAQXTnwddGCJa5JUoZ8lsH8Ji2dMWfvRrOWglJ7z6SQ.L_UqFnFRFb\
        lLYaKNyDk7h1ba8wwqyw2bnrxP5lbG-hU
        """,
      key: rsa),
    Case(
      algorithm: "A128KW", encryption: "A128GCM",
      token:
        """
        eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4R0NNIn0.IfT4eUXDsakXED6leiDjt-D6Rbw4Dbkv.8WSHWOjkkc1FQMNX.uV\
        1083F-QtR-nyLOkJytse4.cPbh4sl52ryLUlbNeEzkqA
        """,
      key: "{\"k\":\"dV41Aj596kkwNQgZORf-wQ\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "A192KW", encryption: "A192GCM",
      token:
        """
        eyJhbGciOiJBMTkyS1ciLCJlbmMiOiJBMTkyR0NNIn0.Y_R6Do5Bq_mQm7r6EPNwz_WTvo9sBqEq90md2v0BT5w.6HZHt4kc\
        kbHBfuQj.9p0M2MG_CCreoMhnunaPcVA.ihl-zMLMFWhZMqXmFZM98g
        """,
      key: "{\"k\":\"jCQufo5iTWfm45kqKoIr7udcw6zWOxUq\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "A256KW", encryption: "A256GCM",
      token:
        """
        eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIn0.gkYyBh8Nx3b51PQVJX_DFiRa_Wp4w7dDVXKbsiVEfqgEe1Pbpruk\
        tg.WhYSqYu7W4r-fFQ3.Z-WFbkAw5FBDtr3hQIqGI3c.1eFiq2sUGv3fSI3EgF5qGA
        """,
      key: "{\"k\":\"oxICwnx5nNe-rOt8CVybO0NVS_gV-Ah-3V-l-FVoz9A\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A128CBC-HS256",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..HP6H2Kbm5mUVVj_bQa9jjg.EBv485usvU-acGXrzNEfcTZp\
        VfrKneBlG2EHOeyMA8E.TbkSfCOQZf3UebHvujUr8Q
        """,
      key: "{\"k\":\"w9KF-_fHJa7PGw8c8Ki6bjxBE8gCxXOG4eUSuFFCOeg\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "ECDH-ES", encryption: "A192CBC-HS384",
      token:
        """
        eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTE5MkNCQy1IUzM4NCIsImVwayI6eyJjcnYiOiJQLTI1NiIsIngiOiJaR1FHUS14\
        a2JkY1gtRHBWMjVhNm5TeEZ3T1NZNmNLdUxFYk16Z1RBd05ZIiwieSI6InhDRDJjczJ5ZjdNTXFBR3hXbGh4RlhlZmF1ZXBr\
        dG9CRUNTR3NnWTNCbkEiLCJrdHkiOiJFQyJ9fQ..G44ySL31OPkw9Jtaj7vjuw.9Ajkhi8qJ7eTHcWlqhok_NaKl5iEkSuog\
        HCGEgKfYoY.UEPcONpnpmF2uGNU-K3FSS1_KfPH8zd4
        """,
      key: curve256),
    Case(
      algorithm: "ECDH-ES+A128KW", encryption: "A256CBC-HS512",
      token:
        """
        eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkEyNTZDQkMtSFM1MTIiLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJ4Ijoi\
        Z0JWa3haU3NxV3pWQVQ3RHJCQkE1c01hWUwzT0lYOUdTeWpCbUlSM2hMdyIsInkiOiJtUWxjMU5qTlVWTXBfa0FnSzJvM1p6\
        TjR5VFBmb3l0VDBVWXd0SHhfdXVZIiwia3R5IjoiRUMifX0.a5VsAx9vlk-GWxz24YF9LdvJ9BNIRX3yEEWt2xExFa13u7Q0\
        awza_71rCPG-ULRGVW6rxxGJKQIaT-xw3MbG65DAZrPwyHwD.q0WfCbpM3XWRq1tTfhcopw.wD53xn_TplWLWJKc6vEIRJ0f\
        WMEI5XHeq8fwN9S5_Sc.4tzGeXUJA4zjy3K7JtiI7KUlQ2JgBIXiZAic6gFpmxY
        """,
      key: curve256),
    Case(
      algorithm: "ECDH-ES+A192KW", encryption: "A128GCM",
      token:
        """
        eyJhbGciOiJFQ0RILUVTK0ExOTJLVyIsImVuYyI6IkExMjhHQ00iLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJ4IjoiRW9nMWxy\
        YThncWFsX3QwUDZyaFE2VUhrclRjSkdScWFBc3dEMnJmR01UcyIsInkiOiJTVUpYaDhUeVQwMjhhRVJFLVFRNEZFTG1DcUYz\
        YzVzVHBPemQ5bTFPRWlRIiwia3R5IjoiRUMifX0.ITB1rSpSXbEWm6AJs4NEtwueCZ3rCe91.15CqJC84k4cy3qfe.TfMI2h\
        encceeVOB3mChuqrY.N-tqQQDDmrheSaapUjYkFw
        """,
      key: curve256),
    Case(
      algorithm: "ECDH-ES+A256KW", encryption: "A192GCM",
      token:
        """
        eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkExOTJHQ00iLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJ4IjoiQUY1a29s\
        aW8zN2JIbHAzZ2dDVmU4Y2pLaXBwX1E1U2ZXZkp1RGt3T3RhNCIsInkiOiJ3Vkk0WENfcUFPbVBNbm1EODhxM3ozQ0o4eVNV\
        SGVlaEliY1F5b3V2TThnIiwia3R5IjoiRUMifX0.kfv1qIHq2oKT4Isp-Fawo2iJ8HIMCn7I8yeanUQNqPM.-I8tdHxU_xwF\
        zYeL.Yg-kMnYdMXayMo7suotrnJo.6wAI6Jmuu20NsA7MchNq-g
        """,
      key: curve256),
    Case(
      algorithm: "A128GCMKW", encryption: "A256GCM",
      token:
        """
        eyJhbGciOiJBMTI4R0NNS1ciLCJlbmMiOiJBMjU2R0NNIiwiaXYiOiJBeVNXcmg4bE5GMkpGQXZwIiwidGFnIjoiQ1J5dG5o\
        T016RlVRZ3pFRndmUVVNQSJ9.Nt2BZAxKmkxh9ze4z9xwPzRTfXOry5eDu4fxTb1kkf8.HuVPWvWQTFyi50_c.Ic7UqJ85YS\
        DI5ccc3j5kvxY.QwlnKUf-8crfHn_m8CmEOw
        """,
      key: "{\"k\":\"ZrbyoOVwQ-fSOM4jb9QuEA\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "A192GCMKW", encryption: "A128CBC-HS256",
      token:
        """
        eyJhbGciOiJBMTkyR0NNS1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiaXYiOiJOVm9udHF1ZktYSnpZaFNIIiwidGFnIjoi\
        Z1Y4cks1bklFTWZETnZXbWRqX3VLdyJ9.Nof-GHiXnTwEI_oxqJtVrkq_JLjtUDzFSU3CxLEQ448.1C-iM9fSftkrpNlzovx\
        GqA.ftQr0t_Xqwx097LcPsaRb1tkjC9cYCY1TgJsExeHomI.JMDmo035JHH8Sxh8yovC3g
        """,
      key: "{\"k\":\"rzMZxfAKQZvDtD_JYCXpMEpDmsdf63ac\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "A256GCMKW", encryption: "A192CBC-HS384",
      token:
        """
        eyJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMTkyQ0JDLUhTMzg0IiwiaXYiOiIyV0VGQVNCT295eTcwX2hpIiwidGFnIjoi\
        YUJfWENHYkJQc3JnTGM5ZHRfLW9GQSJ9.v8ZNUdza-O90YLYs4qMCF0upg9TYMY5hjdjhDBM6gisqti8H3pt0s-TBlBKxZTC\
        0.3_LQW9Hd3d8t4Hl4V3rmyQ.kMxbXMJjc8wq6twz4pStPbJzX06Qu_mRwWA5klFJ7Ok.v1geRz2GW1PhfSFp6FctygEmbEV\
        gK3IK
        """,
      key: "{\"k\":\"E76LzbHTCE6zET_VjYfwR1IBtXLKZk-z-bKA0pkvqcA\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A128CBC-HS256",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..6vIAszAEd_lmGCKoBMZGMw.GpBvMpLo0E1naQpG0n991TCo\
        AvrFhNXa6_WGLCTWbOo.mIic9EpblzkBQLxkYl-Vvw
        """,
      key: "{\"k\":\"YVAhfWgfC2J5N3EllmL49sXeo_VRZqCwEFN6dPkC7W8\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A192CBC-HS384",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMTkyQ0JDLUhTMzg0In0..rmIqtVTNFu6Uno3tLnbwFg.JmVzXDjq0hSZP3rExF-3Oeoj\
        KW8CuB-HB_0ND-Dz7Lo.haCoNokbyL0CvdfYbvaj_bh2SzjKJ-dB
        """,
      key: "{\"k\":\"6IZ9nGAT_XrU8fpDzcgoDsbh_V2sOc2XJHd-1sHhQB4dQxOG2I82Pb0m0teuirBX\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A256CBC-HS512",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..4HUolVsL2PA45HMs4yXCmQ.qboiqWq-wxE_yRlNJJFs4eLx\
        L_MzBwSUmIaRXGa88ck.bTIOYl34Mg9ZZyqL6OYwLA1swA9Vknu1tx08fLYI4Ug
        """,
      key:
        "{\"k\":\"iHrSbySJCRVjRvl2KHPZDWNWWC2d97PW4U8T4SuD0wx_hrshGafu5c5rKCBg9JtO89E6ROaXM6TYIrOCw_ZqBQ\",\"kty\":\"oct\"}"
    ),
    Case(
      algorithm: "dir", encryption: "A128GCM",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..1lZiejYOgmzhS_QY.C3XA8frSEErSZhkZ45PzAIM.AaOwSRFAlYr5jb\
        pplEifng
        """,
      key: "{\"k\":\"Xnk-ZVriU7iGTvxqCifP1A\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A192GCM",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMTkyR0NNIn0..rwGXZQWjyZh8GFLM.8vr1UGcz6zPDYKdIY9ZvdoI.dTam68XKI6JXsq\
        C6PlAQ7g
        """,
      key: "{\"k\":\"XHEAl7P8xn88NdY-gslMa-fKdBd9EFbx\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "dir", encryption: "A256GCM",
      token:
        """
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..hg_JxmtWMY1aXS-B.2DD7qoILWzloWzgcd42q4F8.Bzcue9vsLUl71i\
        ssSLDGDA
        """,
      key: "{\"k\":\"xTx5a0zOMEovvzVXwYyTG39Tsruoo5BBECmZfrjq7VY\",\"kty\":\"oct\"}"),
    Case(
      algorithm: "ECDH-ES", encryption: "A256CBC-HS512",
      token:
        """
        eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkNCQy1IUzUxMiIsImFwdSI6IlFXeHBZMlUiLCJhcHYiOiJRbTlpIiwiZXBr\
        Ijp7ImNydiI6IlAtNTIxIiwieCI6IkFVZkpub0JWUEUwWjZwZktNWWJOU0M1eHBXMWljUk9YcXVFTUQ0akE0VzItZE9EU2wz\
        RUhUQmVjOXNaVnMxWkV1c0g5UTlLeEhMaDNJWmkzRlV6UVlzaXgiLCJ5IjoiQUtMZXhhTzNjVkdsVldUNk8xRlZ5R3BrNUox\
        LXJ3SFNEQ1VObV83TEJWY0VQRFhOYldZbDloRFpYdHA1QlY5XzNkcFBMVlBKQ285dm15cENFdXFBQ0NmQSIsImt0eSI6IkVD\
        In19..V03qMT5Xs_4Eymptm9Zn0Q.EyqYFeSlm5agUYvX_0pK64H4pHZBb_8n8wZKlHoml5I.XZXX2NJdH0L7PNchuFVHngv\
        gaQxaXN6c6MHkfvPXbIU
        """,
      key: curve521),
    Case(
      algorithm: "ECDH-ES+A256KW", encryption: "A128GCM",
      token:
        """
        eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkExMjhHQ00iLCJhcHUiOiJRV3hwWTJVIiwiYXB2IjoiUW05aSIsImVw\
        ayI6eyJjcnYiOiJQLTM4NCIsIngiOiJoRUJHM0x1WFEtcGZCbFhXeFlqMUNadUtnR1N4ajJyVXRpWXJnaU84ZGItS3hZTEMz\
        MlNuM2s2S1g5NnN4NVZHIiwieSI6InVOODcwbGNxM2JWOGNTU2lraGRMNVhXbko0c2FMSWpsTEhZbEtzMG1YNmppUEY0dThD\
        N094SjBHWmNqcEdJZTQiLCJrdHkiOiJFQyJ9fQ.WG2i3OXVTjkZMjgdYaCgRkuEccbdHwgu.TAHdrTc0MSqgfCxK.cgLp5je\
        x28G40dGIjhC2Ep0.zy3_cCkejYGQfGWrRq5M1g
        """,
      key: curve384),
  ]
}
